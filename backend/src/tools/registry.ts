import { applyPatchTool } from './apply-patch.ts'
import { catTool } from './cat.ts'
import { diffTool } from './diff.ts'
import { editTool } from './edit.ts'
import { fileInfoTool } from './file-info.ts'
import { findTool as findEntriesTool } from './find.ts'
import { globTool } from './glob.ts'
import { grepTool } from './grep.ts'
import { historyTool } from './history.ts'
import { lsTool } from './ls.ts'
import { memoryDeleteTool } from './memory-delete.ts'
import { memoryGetTool } from './memory-get.ts'
import { memoryListTool } from './memory-list.ts'
import { memorySearchTool } from './memory-search.ts'
import { memorySetTool } from './memory-set.ts'
import { mkdirTool } from './mkdir.ts'
import { multiEditTool } from './multi-edit.ts'
import { mvTool } from './mv.ts'
import { planEditTool } from './plan-edit.ts'
import { planListTool } from './plan-list.ts'
import { planReadTool } from './plan-read.ts'
import { planWriteTool } from './plan-write.ts'
import { readMultipleFilesTool } from './read-multiple-files.ts'
import { readTool } from './read.ts'
import { restoreTool } from './restore.ts'
import { rmTool } from './rm.ts'
import { searchTool } from './search.ts'
import { shellTool } from './shell.ts'
import type { AnyTool, ToolServices } from './tool.ts'
import { touchTool } from './touch.ts'
import { webFetchTool } from './web-fetch.ts'
import { webSearchTool } from './web-search.ts'
import { writeTool } from './write.ts'

/** Every core tool, in the order in which models see them. */
export const WORKSPACE_TOOLS = [lsTool, readTool, readMultipleFilesTool, catTool, writeTool, editTool, multiEditTool, applyPatchTool, mkdirTool, mvTool, rmTool, touchTool, globTool, findEntriesTool, grepTool, searchTool, fileInfoTool, diffTool, historyTool, restoreTool, planWriteTool, planReadTool, planEditTool, planListTool, memorySetTool, memoryGetTool, memorySearchTool, memoryDeleteTool, memoryListTool, webFetchTool, webSearchTool, shellTool] as const

export type ToolName = (typeof WORKSPACE_TOOLS)[number]['name']

export const TOOL_NAMES: readonly ToolName[] = WORKSPACE_TOOLS.map((tool) => tool.name)

export function findTool(name: string): AnyTool | undefined {
  return WORKSPACE_TOOLS.find((tool) => tool.name === name)
}

/** The tools that this server can really run. */
export function offeredTools(services: ToolServices): readonly ((typeof WORKSPACE_TOOLS)[number])[] {
  return WORKSPACE_TOOLS.filter((tool: AnyTool) => tool.isOffered?.(services) ?? true)
}

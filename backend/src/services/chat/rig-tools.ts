/** One wrapper class per core tool. A tool without its wrapper does not compile. */
import type { ToolName } from '../../tools/registry.ts'
import { rigTool, type RigToolClass } from './rig-tool.ts'

export class RigLsTool extends rigTool('ls') {}
export class RigReadTool extends rigTool('read') {}
export class RigReadMultipleFilesTool extends rigTool('read_multiple_files') {}
export class RigCatTool extends rigTool('cat') {}
export class RigWriteTool extends rigTool('write') {}
export class RigEditTool extends rigTool('edit') {}
export class RigMultiEditTool extends rigTool('multi_edit') {}
export class RigApplyPatchTool extends rigTool('apply_patch') {}
export class RigMkdirTool extends rigTool('mkdir') {}
export class RigMvTool extends rigTool('mv') {}
export class RigRmTool extends rigTool('rm') {}
export class RigTouchTool extends rigTool('touch') {}
export class RigGlobTool extends rigTool('glob') {}
export class RigFindTool extends rigTool('find') {}
export class RigGrepTool extends rigTool('grep') {}
export class RigSearchTool extends rigTool('search') {}
export class RigFileInfoTool extends rigTool('file_info') {}
export class RigDiffTool extends rigTool('diff') {}
export class RigHistoryTool extends rigTool('history') {}
export class RigRestoreTool extends rigTool('restore') {}
export class RigPlanWriteTool extends rigTool('plan_write') {}
export class RigPlanReadTool extends rigTool('plan_read') {}
export class RigPlanEditTool extends rigTool('plan_edit') {}
export class RigPlanListTool extends rigTool('plan_list') {}
export class RigMemorySetTool extends rigTool('memory_set') {}
export class RigMemoryGetTool extends rigTool('memory_get') {}
export class RigMemorySearchTool extends rigTool('memory_search') {}
export class RigMemoryDeleteTool extends rigTool('memory_delete') {}
export class RigMemoryListTool extends rigTool('memory_list') {}
export class RigWebFetchTool extends rigTool('web_fetch') {}
export class RigWebSearchTool extends rigTool('web_search') {}
export class RigShellTool extends rigTool('shell') {}

/** In the order in which models see them; `NAME` ties each class to its key. */
export const RIG_TOOLS = {
  ls: RigLsTool,
  read: RigReadTool,
  read_multiple_files: RigReadMultipleFilesTool,
  cat: RigCatTool,
  write: RigWriteTool,
  edit: RigEditTool,
  multi_edit: RigMultiEditTool,
  apply_patch: RigApplyPatchTool,
  mkdir: RigMkdirTool,
  mv: RigMvTool,
  rm: RigRmTool,
  touch: RigTouchTool,
  glob: RigGlobTool,
  find: RigFindTool,
  grep: RigGrepTool,
  search: RigSearchTool,
  file_info: RigFileInfoTool,
  diff: RigDiffTool,
  history: RigHistoryTool,
  restore: RigRestoreTool,
  plan_write: RigPlanWriteTool,
  plan_read: RigPlanReadTool,
  plan_edit: RigPlanEditTool,
  plan_list: RigPlanListTool,
  memory_set: RigMemorySetTool,
  memory_get: RigMemoryGetTool,
  memory_search: RigMemorySearchTool,
  memory_delete: RigMemoryDeleteTool,
  memory_list: RigMemoryListTool,
  web_fetch: RigWebFetchTool,
  web_search: RigWebSearchTool,
  shell: RigShellTool,
} as const satisfies { readonly [Name in ToolName]: RigToolClass<Name> }

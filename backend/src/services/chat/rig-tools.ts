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
  web_fetch: RigWebFetchTool,
  web_search: RigWebSearchTool,
  shell: RigShellTool,
} as const satisfies { readonly [Name in ToolName]: RigToolClass<Name> }

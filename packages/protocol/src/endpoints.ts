import * as chats from './chats.ts'
import type { Endpoint } from './endpoint.ts'
import * as files from './files.ts'
import * as people from './people.ts'
import * as workspaces from './workspaces.ts'

/** Every route of the API, in the order of the documentation. */
export const ENDPOINTS: readonly Endpoint[] = [
  people.health,
  people.ready,
  people.me,
  people.listModels,
  people.openApi,
  people.createSession,
  people.deleteSession,
  people.createSignInCode,
  people.createUser,
  people.createToken,
  people.listTokens,
  people.deleteToken,
  people.doctor,
  workspaces.createWorkspace,
  workspaces.listWorkspaces,
  workspaces.getWorkspace,
  workspaces.listMembers,
  workspaces.putMember,
  workspaces.deleteMember,
  files.listFiles,
  files.getFileContent,
  files.putFileContent,
  files.createFolder,
  files.moveFile,
  files.deleteFile,
  files.listFileVersions,
  files.restoreFile,
  files.listTools,
  files.runTool,
  chats.createChat,
  chats.listChats,
  chats.getChat,
  chats.patchChat,
  chats.deleteChat,
  chats.listMessages,
  chats.postMessage,
  chats.chatEvents,
  chats.stopChat,
  chats.getContext,
  chats.getTurn,
]

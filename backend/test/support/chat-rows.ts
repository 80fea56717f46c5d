import { uuidv7 } from 'uuidv7'
import type { Db } from '../../src/db/db.ts'
import { insertChat } from '../../src/repositories/chat-repository.ts'
import { insertMessage } from '../../src/repositories/chat-message-repository.ts'
import { insertTurn } from '../../src/repositories/turn-repository.ts'
import { questionMessage } from '../../src/services/chat/chat-stored-message.ts'
import type { ClaimedTurn } from '../../src/services/chat/chat-turn.ts'

export interface PersonWithWorkspace {
  readonly userId: string
  readonly workspaceId: string
}

/** A person who owns a workspace. */
export async function insertPerson(db: Db, name = 'ada'): Promise<PersonWithWorkspace> {
  const userId = uuidv7()
  const workspaceId = uuidv7()
  await db.kysely.insertInto('users').values({ id: userId, name, email: null }).execute()
  await db.kysely.insertInto('workspaces').values({ id: workspaceId, name: 'main', owner_id: userId, deleted_at: null }).execute()
  await db.kysely.insertInto('workspace_members').values({ workspace_id: workspaceId, user_id: userId, role: 'owner' }).execute()
  return { userId, workspaceId }
}

export async function insertChatOf(db: Db, { userId, workspaceId }: PersonWithWorkspace): Promise<{ workspaceId: string; chatId: string; userId: string }> {
  const chatId = uuidv7()
  await insertChat(db.kysely, { id: chatId, workspace_id: workspaceId, created_by: userId, title: 'Test', agent: 'assistant', model: 'offline:rules', mode: 'build' })
  return { workspaceId, chatId, userId }
}

/** A queued turn with its question. */
export async function insertQueuedTurn(db: Db, of: { workspaceId: string; chatId: string; userId: string }, number = 1): Promise<{ turnId: string; messageId: string; replyId: string }> {
  const ids = { turnId: uuidv7(), messageId: uuidv7(), replyId: uuidv7() }
  const row = { workspace_id: of.workspaceId, chat_id: of.chatId }
  await insertTurn(db.kysely, { ...row, id: ids.turnId, number, user_id: of.userId, message_id: ids.messageId, reply_id: ids.replyId, agent: 'assistant', model: 'offline:rules' })
  const content = questionMessage({ files: [], environment: '', request: `question ${number}` })
  await insertMessage(db.kysely, { ...row, id: ids.messageId, turn_id: ids.turnId, role: 'user', status: 'complete', content, model: null })
  return ids
}

/** A turn that runs under epoch 1, as a claim would leave it. */
export async function insertRunningTurn(db: Db, of: { workspaceId: string; chatId: string; userId: string }): Promise<ClaimedTurn> {
  const ids = await insertQueuedTurn(db, of)
  await db.kysely.updateTable('turns').set({ status: 'running', lease_epoch: 1, attempt: 1, owner: uuidv7(), started_at: new Date(), lease_expires_at: new Date(Date.now() + 15_000) }).where('id', '=', ids.turnId).execute()
  await insertMessage(db.kysely, { workspace_id: of.workspaceId, chat_id: of.chatId, id: ids.replyId, turn_id: ids.turnId, role: 'assistant', status: 'running', content: '[]', model: null })
  return { ...ids, epoch: 1, workspaceId: of.workspaceId, chatId: of.chatId, userId: of.userId, number: 1, agent: 'assistant', model: 'offline:rules', attempt: 1, createdAt: new Date(), startedAt: new Date() }
}

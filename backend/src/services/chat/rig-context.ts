/** Shows what the model would receive now: the same pieces, in the same order, as a turn sends them. */
import type { Db } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { findChat } from '../../repositories/chat-repository.ts'
import { WORKSPACE_TOOLS } from '../../tools/registry.ts'
import { toolParameters } from '../../tools/tool-parameters.ts'
import { estimateTokens } from './chat-context.ts'
import { visibleParts } from './chat-stored-message.ts'
import { loadHistory } from './chat-turn-loader.ts'
import type { ChatContextInspector, ContextView, StoredTurn } from './chat-turn.ts'
import { rigHistory } from './rig-history.ts'
import { rigPreamble } from './rig-preamble.ts'
import type { RigService } from './rig-service.ts'

export class RigContextInspector implements ChatContextInspector {
  readonly #deps: { readonly db: Db; readonly rig: Pick<RigService, 'contextOf' | 'contextLimit'> }

  constructor(deps: { readonly db: Db; readonly rig: Pick<RigService, 'contextOf' | 'contextLimit'> }) {
    this.#deps = deps
  }

  async inspect(key: { readonly workspaceId: string; readonly chatId: string }): Promise<ContextView> {
    const { db, rig } = this.#deps
    const chat = await findChat(db.kysely, key)
    if (chat === undefined) throw new AppError('not_found', 'There is no such chat.')
    const session = { chatId: chat.id, agentName: chat.agent, model: chat.model }
    const history = await loadHistory(db.kysely, key, chat.turn_seq + 1)
    const context = rig.contextOf(session, history, undefined)
    const limit = rig.contextLimit(session)
    const { dropped } = context.optimizeForLimit(limit)
    const tools = toolsView()
    return {
      model: chat.model,
      preamble: rigPreamble(context),
      messages: rigHistory(history),
      files: filesView(history),
      tools,
      parts: context.entries().map(([name, entry]) => ({ key: name, tokens: entry.tokens, essential: entry.isEssential, priority: entry.priority, dropped: dropped.includes(name) })),
      tokens: context.tokens + tools.reduce((sum, tool) => sum + tool.tokens, 0),
      limit,
    }
  }
}

function toolsView(): ContextView['tools'] {
  return WORKSPACE_TOOLS.map((tool) => {
    const definition = { name: tool.name, description: tool.description, parameters: toolParameters(tool) }
    return { ...definition, tokens: estimateTokens(JSON.stringify(definition)) }
  })
}

/** Files that people attached: they travel inside the messages. */
function filesView(history: readonly StoredTurn[]): ContextView['files'] {
  return history.flatMap((turn) => {
    const texts = visibleParts(turn.question)
    return texts.flatMap((part) => (part.type === 'file' ? [{ path: part.path, tokens: estimateTokens(part.text) }] : []))
  })
}

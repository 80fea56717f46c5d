/** Shows what the model would receive now: the same pieces, in the same order, as a turn sends them. */
import type { Db } from '../../db/db.ts'
import { AppError } from '../../errors.ts'
import { toolParameters } from '../../tools/tool-parameters.ts'
import { estimateTokens } from './chat-context.ts'
import type { ChatSessions } from './chat-session.ts'
import { visibleParts } from './chat-stored-message.ts'
import { loadHistory } from './chat-turn-loader.ts'
import type { ChatContextInspector, ContextView, StoredTurn } from './chat-turn.ts'
import { rigHistory } from './rig-history.ts'
import { rigMediaLabels } from './rig-media.ts'
import { rigPreamble } from './rig-preamble.ts'
import type { RigService } from './rig-service.ts'

export interface RigContextInspectorDeps {
  readonly db: Db
  readonly sessions: Pick<ChatSessions, 'ofChat'>
  readonly rig: Pick<RigService, 'contextOf' | 'contextLimit' | 'toolsOf'>
}

export class RigContextInspector implements ChatContextInspector {
  readonly #deps: RigContextInspectorDeps

  constructor(deps: RigContextInspectorDeps) {
    this.#deps = deps
  }

  async inspect(key: { readonly workspaceId: string; readonly chatId: string }): Promise<ContextView> {
    const { db, rig, sessions } = this.#deps
    const found = await sessions.ofChat(key)
    if (found === undefined) throw new AppError('not_found', 'There is no such chat.')
    const { chat, session } = found
    const history = await loadHistory(db.kysely, key, chat.turn_seq + 1)
    const context = rig.contextOf(session, history, undefined)
    const limit = rig.contextLimit(session)
    const { dropped } = context.optimizeForLimit(limit)
    const tools = toolsView(rig.toolsOf(session))
    return {
      agent: { name: session.agent.name, path: session.agent.path, version: session.agent.version },
      skills: session.skills.map(({ name, path, version }) => ({ name, path, version })),
      model: session.model,
      preamble: rigPreamble(context),
      messages: rigHistory(history, rigMediaLabels(history)),
      files: filesView(history),
      tools,
      parts: context.entries().map(([name, entry]) => ({ key: name, tokens: entry.tokens, essential: entry.isEssential, priority: entry.priority, dropped: dropped.includes(name) })),
      tokens: context.tokens + tools.reduce((sum, tool) => sum + tool.tokens, 0),
      limit,
    }
  }
}

function toolsView(offered: ReturnType<RigService['toolsOf']>): ContextView['tools'] {
  return offered.map((tool) => {
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

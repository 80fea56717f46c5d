import { describe, expect, it } from 'vitest'
import { PromptCancelledError, PromptError } from '../errors.ts'
import { calls, says, ScriptedModel, toolCall, type ScriptedTurn } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { AgentBuilder } from './agent-builder.ts'

describe('an agent as a tool', () => {
  const helperOf = (...turns: readonly ScriptedTurn[]) => new AgentBuilder(new ScriptedModel(turns)).name('Best helper!').preamble('A secret recipe.').build()

  it('answers with its final text; its instructions stay its own', async () => {
    const model = new ScriptedModel([calls(toolCall('c', 'Best_helper_', { prompt: 'Help' })), says('Done.')])
    const response = await new AgentBuilder(model).tool(helperOf(says('Helped.')).asTool()).build().run('Go')
    expect(JSON.stringify(response.messages[2])).toContain('Helped.')
    expect(JSON.stringify(model.requests[0]?.tools)).not.toContain('secret')
  })

  it('shares deps and signal with the run that calls it', async () => {
    const seen: unknown[] = []
    const spy = tool({ name: 'spy', description: 'Looks at deps.', call: (_args, { deps, depth, signal }) => {
      seen.push(deps, depth)
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    } })
    const helper = new AgentBuilder(new ScriptedModel([calls(toolCall('s', 'spy'))])).name('helper').tool(spy).build()
    const controller = new AbortController()
    const run = new AgentBuilder(new ScriptedModel([calls(toolCall('c', 'helper', { prompt: 'Help' }))])).tool(helper.asTool()).build().run('Go', { deps: { user: 'ada' }, signal: controller.signal })
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    controller.abort('enough')
    await expect(run).rejects.toBeInstanceOf(PromptCancelledError)
    expect(seen).toEqual([{ user: 'ada' }, 1])
  })

  it('tells its caller that it came to no end', async () => {
    const model = new ScriptedModel([calls(toolCall('c', 'helper', { prompt: 'Help' })), says('Then not.')])
    const helper = helperOf(calls(toolCall('x', 'nothing')))
    const response = await new AgentBuilder(model).tool(helper.asTool({ name: 'helper', maxTurns: 1 })).build().run('Go')
    expect(JSON.stringify(response.messages[2])).toContain('No final answer after 1 model call')
  })

  it('cannot call itself for ever', async () => {
    const circle: ScriptedTurn[] = Array.from({ length: 20 }, (_, index) => calls(toolCall(`c${index}`, 'again', { prompt: 'deeper' })))
    const builder = new AgentBuilder(new ScriptedModel([...circle.slice(0, 8), ...Array.from({ length: 8 }, () => says('up'))]))
    const agent = builder.name('again').build()
    agent.toolServer.add(agent.asTool())
    const response = await agent.run('Go')
    expect(response.output).toBe('up')
    await expect(new AgentBuilder(new ScriptedModel(circle)).build().run('Go', { maxTurns: 1 })).rejects.toBeInstanceOf(PromptError)
  })
})

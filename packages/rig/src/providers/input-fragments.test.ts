import { describe, expect, it } from 'vitest'
import type { AnyMessage } from '../completion/message-types.ts'
import { Message } from '../completion/message.ts'
import { InputFragments } from './input-fragments.ts'

function counted(): { readonly fragments: InputFragments; readonly encoded: AnyMessage[] } {
  const encoded: AnyMessage[] = []
  const fragments = new InputFragments((message) => {
    encoded.push(message)
    return message.role === 'system' ? '' : JSON.stringify(message)
  })
  return { fragments, encoded }
}

const said = (...texts: string[]): AnyMessage[] => texts.map((text) => Message.user(text))
const parsed = (bytes: Buffer): unknown => JSON.parse(`[${bytes.toString()}]`)

describe('the wire form of a conversation', () => {
  it('grows with the conversation, each message encoded once', () => {
    const { fragments, encoded } = counted()
    const messages = said('Grüße', '東京 🗼')
    for (let turn = 0; turn < 50; turn++) {
      messages.push(...said(`${turn} – ask`, 'x'.repeat(turn)))
      expect(parsed(fragments.join([...messages]))).toEqual(messages)
    }
    expect(encoded).toEqual(messages)
  })

  it('that was handed out stays as it is when the conversation goes on, in two ways even', () => {
    const { fragments } = counted()
    const common = said('a', 'b')
    const first = fragments.join(common)
    const [left, right] = [[...common, ...said('left')], [...common, ...said('right, which is longer')]]
    const [joinedLeft, joinedRight] = [fragments.join(left), fragments.join(right)]
    const again = fragments.join([...left, ...said('more')])
    expect([first, joinedLeft, joinedRight].map(parsed)).toEqual([common, left, right])
    expect(parsed(again)).toEqual([...left, { ...Message.user('more') }])
  })

  it('is made anew when an earlier message was replaced', () => {
    const { fragments } = counted()
    const [first, ...rest] = said('a', 'b', 'c')
    fragments.join(first === undefined ? rest : [first, ...rest])
    const changed = [...said('A'), ...rest]
    expect(parsed(fragments.join(changed))).toEqual(changed)
  })

  it('leaves out messages that are not sent, first, last or alone', () => {
    const { fragments } = counted()
    const [hello] = said('hello')
    const silent = () => Message.system('')
    expect(fragments.join([silent()])).toHaveLength(0)
    expect(parsed(fragments.join([silent(), ...(hello === undefined ? [] : [hello]), silent()]))).toEqual([hello])
    expect(fragments.join([])).toHaveLength(0)
  })
})

/** What a target is not told though it changes nothing in the question: named, never refused, never silent. */
import { describe, expect, test } from 'bun:test'
import type { DialectId, Json, WireId } from '../../src/dialects/canonical.ts'
import type { ChatTarget } from '../../src/dialects/dialect.ts'
import { targetDialects } from '../../src/dialects/index.ts'
import { chat, warnings } from './support.ts'

const targets = Object.values(targetDialects).filter((d): d is ChatTarget => d.op === 'chat')
/** SageMaker's containers are asked as OpenAI is. */
const CHAT: WireId[] = ['openai-chat', 'sagemaker-chat']
const OPENAI: WireId[] = ['sagemaker-chat', 'openai-chat', 'openai-completions', 'openai-responses']
const messages = [{ role: 'user', content: 'Hi' }]

function told(from: DialectId, to: WireId, body: Json) {
  const { warn, lost, adapted } = warnings()
  const asked = { ...chat(from).readRequest({ model: 'm', stream: false, ...body }), maxTokens: 5 }
  const written = (targetDialects[to] as ChatTarget).writeRequest(asked, warn)
  return { lost, adapted: adapted.sort(), written: JSON.stringify(written) }
}

describe.each(targets.map(({ id }) => id))('%s is told, or its caller is', (to) => {
  test('everything of a chat of OpenAI', () => {
    const body = {
      messages,
      prediction: { type: 'content', content: 'x' },
      service_tier: 'flex',
      store: true,
      verbosity: 'low',
      safety_identifier: 's',
      prompt_cache_key: 'k',
    }
    const { lost, adapted, written } = told('openai-chat', to, body)
    expect(lost).toEqual([])
    const { messages: _, ...said } = body
    expect(adapted).toEqual(CHAT.includes(to) ? [] : Object.keys(said).sort())
    if (CHAT.includes(to)) expect(JSON.parse(written)).toMatchObject(said)
  })

  test('who asks, and what for', () => {
    const { lost, adapted, written } = told('openai-chat', to, {
      messages,
      user: 'someone',
      metadata: { job: 'seven' },
    })
    expect(lost).toEqual([])
    expect([written.includes('someone'), adapted.includes('user')]).toEqual(
      OPENAI.includes(to) || to === 'anthropic' ? [true, false] : [false, true],
    )
    const shares = CHAT.includes(to) || to === 'openai-completions'
    expect([written.includes('seven'), adapted.includes('metadata')]).toEqual([shares, !shares])
  })

  test('everything of a request of Anthropic', () => {
    const { lost, adapted } = told('anthropic', to, {
      max_tokens: 5,
      messages,
      service_tier: 'auto',
      context_management: { edits: [] },
      metadata: { user_id: 'u' },
    })
    expect(lost).toEqual([])
    expect(adapted.filter((name) => name !== 'user')).toEqual(to === 'anthropic' ? [] : ['context_management'])
  })

  test('what asks for nothing special is no news', () => {
    const { lost, adapted } = told('openai-chat', to, {
      messages,
      store: false,
      service_tier: 'auto',
      stream_options: { include_usage: true },
      max_completion_tokens: 5,
      reasoning_effort: undefined,
    })
    expect({ lost, adapted }).toEqual({ lost: [], adapted: [] })
  })
})

test('how many words Responses should use is named', () => {
  expect(told('openai-responses', 'openai-chat', { input: 'Hi', text: { verbosity: 'low' } }).adapted).toEqual([
    'text.verbosity',
  ])
  expect(told('openai-responses', 'openai-chat', { input: 'Hi', text: { format: { type: 'text' } } }).adapted).toEqual(
    [],
  )
})

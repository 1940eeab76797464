/** What three coding agents send after an hour of work: about 100 kB of history, many tools, everything marked. */

/** A word that is found again wherever it is carried to. */
export const mark = (n: number): string => `mark-${String(n).padStart(3, '0')}-end`
export const TURNS = 24
/** Each result of a tool is a file of about 2 kB. */
const file = (n: number): string => `${mark(n)} ${'const toll = gate(lane) // "€5" naïve\n'.repeat(54)}`
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
}
export const TOOLS = Array.from({ length: 48 }, (_, i) => `tool_${i}`)
export const SIGNATURE = 'c2lnbmVkLWJ5LXRoZS1tb2RlbA=='
export const ENCRYPTED = 'Z0FBQUFBQm9lbmNyeXB0ZWQ='
const cache_control = { type: 'ephemeral' }

/** Marks of: what was asked, what was said beside the calls, what the two calls gave back. */
export const marksOf = (turn: number): number[] => [turn * 10, turn * 10 + 1, turn * 10 + 2, turn * 10 + 3]
export const ALL_MARKS = Array.from({ length: TURNS }, (_, turn) => marksOf(turn)).flat()

export const CLAUDE_HEADERS = {
  'anthropic-version': '2023-06-01',
  'anthropic-beta':
    'claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,advanced-tool-use-2025-11-20,effort-2025-11-24',
  // As Anthropic's SDK says it, at its second try.
  'x-stainless-retry-count': '1',
  'x-stainless-lang': 'js',
  'x-stainless-timeout': '600',
  'x-claude-code-session-id': '5f0c7c1e-0000-4000-8000-000000000001',
  'content-type': 'application/json',
}

/** @param last a question, or nothing: then the history ends with the results of two calls */
export function claudeCode(model: string, last?: string): Record<string, unknown> {
  const messages: unknown[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const [asked, said, one, two] = marksOf(turn) as [number, number, number, number]
    const ids = [`toolu_${turn}a`, `toolu_${turn}b`] as const
    messages.push({ role: 'user', content: [{ type: 'text', text: `Go on ${mark(asked)}` }] })
    if (turn === 5) messages.push({ role: 'system', content: 'A reminder in the middle: mark-system-end' })
    messages.push({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: `Hm ${turn}`, signature: SIGNATURE },
        { type: 'text', text: `I look ${mark(said)}` },
        { type: 'tool_use', id: ids[0], name: 'tool_0', input: { city: 'Paris', days: turn } },
        { type: 'tool_use', id: ids[1], name: 'tool_1', input: { city: 'Bonn', days: turn } },
      ],
    })
    messages.push({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: ids[0], content: file(one) },
        {
          type: 'tool_result',
          tool_use_id: ids[1],
          content: [{ type: 'text', text: file(two) }],
          is_error: turn === 3,
          ...(turn === TURNS - 1 ? { cache_control } : {}),
        },
      ],
    })
  }
  if (last !== undefined) messages.push({ role: 'user', content: [{ type: 'text', text: last, cache_control }] })
  return {
    model,
    max_tokens: 32_000,
    stream: true,
    system: [
      { type: 'text', text: 'You are an agent. mark-first-end' },
      { type: 'text', text: 'Rules of the house. mark-second-end', cache_control },
    ],
    messages,
    tools: TOOLS.map((name, i) => ({
      name,
      description: `Does ${name}`,
      input_schema: schema,
      ...(i === TOOLS.length - 1 ? { defer_loading: true } : {}),
    })),
    metadata: { user_id: 'user_1_session_2' },
    thinking: { type: 'adaptive', display: 'omitted' },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    output_config: { effort: 'medium' },
  }
}

export const CODEX_HEADERS = {
  'content-type': 'application/json',
  accept: 'text/event-stream',
  originator: 'codex_cli_rs',
  'session-id': '0199-session',
  'thread-id': '0199-thread',
  'x-codex-turn-metadata': '{"turn":1}',
}

export function codex(model: string, last?: string): Record<string, unknown> {
  const text = (role: string, type: string, said: string) => ({
    type: 'message',
    role,
    content: [{ type, text: said }],
  })
  const input: unknown[] = [
    text('developer', 'input_text', 'You are an agent. mark-first-end'),
    text('developer', 'input_text', 'Rules of the house. mark-second-end'),
  ]
  for (let turn = 0; turn < TURNS; turn++) {
    const [asked, said, one, two] = marksOf(turn) as [number, number, number, number]
    const ids = [`call_${turn}a`, `call_${turn}b`] as const
    const call = (id: string, name: string, city: string) => ({
      type: 'function_call',
      name,
      arguments: JSON.stringify({ city, days: turn }),
      call_id: id,
    })
    input.push(
      text('user', 'input_text', `Go on ${mark(asked)}`),
      { type: 'reasoning', id: `rs_${turn}`, summary: [], encrypted_content: ENCRYPTED },
      text('assistant', 'output_text', `I look ${mark(said)}`),
      call(ids[0], 'tool_0', 'Paris'),
      call(ids[1], 'tool_1', 'Bonn'),
      { type: 'function_call_output', call_id: ids[0], output: file(one) },
      { type: 'function_call_output', call_id: ids[1], output: [{ type: 'input_text', text: file(two) }] },
    )
  }
  if (last !== undefined) input.push(text('user', 'input_text', last))
  const define = (name: string) => ({
    type: 'function',
    name,
    description: `Does ${name}`,
    strict: false,
    parameters: schema,
  })
  return {
    model,
    stream: true,
    store: false,
    input,
    tools: [
      ...TOOLS.map(define),
      { type: 'namespace', name: 'mcp__docs', description: 'Docs', tools: [define('search_docs')] },
      { type: 'web_search', external_web_access: true },
    ],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { effort: 'medium', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: '0199-thread',
    client_metadata: { 'x-codex-installation-id': 'one' },
    text: { verbosity: 'low' },
  }
}

export const CHAT_HEADERS = {
  'content-type': 'application/json',
  'x-stainless-retry-count': '1',
  'x-stainless-lang': 'js',
  'http-referer': 'https://agent.example',
  'x-title': 'An agent',
}

/** An agent that speaks OpenAI's chat to everyone, with the marks for caching that some of them put into it. */
export function chatAgent(model: string, last?: string): Record<string, unknown> {
  const marked = (text: string) => [{ type: 'text', text, cache_control }]
  const messages: unknown[] = [
    {
      role: 'system',
      content: [{ type: 'text', text: 'You are an agent. mark-first-end' }, ...marked('mark-second-end')],
    },
  ]
  for (let turn = 0; turn < TURNS; turn++) {
    const [asked, said, one, two] = marksOf(turn) as [number, number, number, number]
    const ids = [`call_${turn}a`, `call_${turn}b`] as const
    const call = (id: string, name: string, city: string) => ({
      id,
      type: 'function',
      function: { name, arguments: JSON.stringify({ city, days: turn }) },
    })
    messages.push(
      { role: 'user', content: `Go on ${mark(asked)}`, ...(turn === 7 ? { cache_control } : {}) },
      {
        role: 'assistant',
        content: `I look ${mark(said)}`,
        reasoning_content: `Hm ${turn}`,
        tool_calls: [call(ids[0], 'tool_0', 'Paris'), call(ids[1], 'tool_1', 'Bonn')],
      },
      { role: 'tool', tool_call_id: ids[0], content: file(one) },
      { role: 'tool', tool_call_id: ids[1], content: turn === TURNS - 1 ? marked(file(two)) : file(two) },
    )
  }
  if (last !== undefined) messages.push({ role: 'user', content: marked(last) })
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 32_000,
    messages,
    tools: TOOLS.map((name, i) => ({
      type: 'function',
      function: { name, description: `Does ${name}`, parameters: schema },
      ...(i === TOOLS.length - 1 ? { cache_control } : {}),
    })),
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning_effort: 'medium',
    prompt_cache_key: 'session-1',
    user: 'user_1',
  }
}

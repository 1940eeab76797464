import { describe, expect, test } from 'bun:test'
import type { FailureKind } from '../../src/core/failure.ts'
import { Refusal, type RefusalCode } from '../../src/core/refusal.ts'
import type { DialectId } from '../../src/dialects/canonical.ts'
import { dialects } from '../../src/dialects/index.ts'
import { chat, chatDialects, dialectOf, eventsIn, fixtures } from './support.ts'

/** What each recorded error of Ollama means for the next step. */
const RECORDED: Record<string, FailureKind> = {
  'err-bad-format': 'caller',
  'err-bad-option': 'caller',
  'err-chat-on-embed-model': 'caller',
  'err-context-overflow': 'context',
  'err-embed-overflow': 'context',
  'err-embed-queue-full': 'overloaded',
  'err-empty-body': 'caller',
  'err-host-header': 'auth',
  'err-load-failed': 'server',
  'err-malformed-json': 'caller',
  'err-method-not-allowed': 'not_found',
  'err-no-think': 'caller',
  'err-no-tools': 'caller',
  'err-not-found-route': 'not_found',
  'err-origin-header': 'auth',
  'err-queue-full': 'overloaded',
  'err-runner-died': 'server',
  'err-unknown-model': 'not_found',
  'err-unknown-model-embed': 'not_found',
  'err-v1-effort': 'caller',
  'err-v1-load-failed': 'server',
  'err-v1-malformed-json': 'caller',
  'err-v1-messages-malformed-json': 'caller',
  'err-v1-messages-queue-full': 'overloaded',
  'err-v1-messages-unknown-model': 'not_found',
  'err-v1-no-messages': 'caller',
  'err-v1-prompt-array': 'caller',
  'err-v1-queue-full': 'overloaded',
  'err-v1-runner-died': 'server',
  'err-v1-unknown-model': 'not_found',
  'err-wrong-type': 'caller',
}

const recorded = fixtures.filter(({ response }) => response.status >= 400)

test('every recorded error is spoken for', () => {
  expect(recorded.map(({ name }) => name).sort()).toEqual(Object.keys(RECORDED).sort())
})

test.each(recorded.map((one) => [one.name, one] as const))('%s', (name, one) => {
  const dialect = dialects[dialectOf(one) ?? 'ollama-chat']
  const failure = dialect.readError(one.response.status, one.response.body)
  expect(failure.kind).toBe(RECORDED[name]!)
  expect(failure.status).toBe(one.response.status)
  expect(failure.message).not.toBe('')
  expect(failure.message).not.toContain('registry.ollama.ai')
})

/** From the public references and from reports of what servers answer. */
const DOCUMENTED: [what: string, status: number, body: unknown, kind: FailureKind, code?: string][] = [
  [
    'OpenAI, too long',
    400,
    {
      error: {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 150000 tokens.",
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
      },
    },
    'context',
    'context_length_exceeded',
  ],
  [
    'OpenAI, wrong key',
    401,
    {
      error: {
        message: 'Incorrect API key provided: sk-…',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_api_key',
      },
    },
    'auth',
    'invalid_api_key',
  ],
  [
    'OpenAI, unknown model',
    404,
    {
      error: {
        message: 'The model `gpt-x` does not exist',
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      },
    },
    'not_found',
    'model_not_found',
  ],
  [
    'OpenAI, too fast',
    429,
    { error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
    'rate_limited',
    'rate_limit_exceeded',
  ],
  [
    'OpenAI, no money',
    429,
    {
      error: {
        message: 'You exceeded your current quota',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    },
    'auth',
    'insufficient_quota',
  ],
  [
    'OpenAI, bad parameter',
    400,
    {
      error: {
        message: 'Unsupported value',
        type: 'invalid_request_error',
        param: 'temperature',
        code: 'unsupported_value',
      },
    },
    'caller',
    'unsupported_value',
  ],
  [
    'OpenAI, its own fault',
    500,
    { error: { message: 'The server had an error', type: 'server_error', param: null, code: null } },
    'server',
  ],
  [
    'OpenAI, overloaded',
    503,
    { error: { message: 'The engine is currently overloaded', type: 'server_error' } },
    'overloaded',
  ],
  [
    'Azure, filtered',
    400,
    {
      error: {
        message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status: 400,
      },
    },
    'content_filter',
    'content_filter',
  ],
  [
    'Anthropic, too long',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 210000 tokens > 200000 maximum' },
    },
    'context',
  ],
  [
    'Anthropic, too long with the answer',
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000',
      },
    },
    'context',
  ],
  [
    'Anthropic, overloaded',
    529,
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    'overloaded',
  ],
  [
    'Anthropic, no credit',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API.' },
    },
    'auth',
  ],
  [
    'Anthropic, wrong key',
    401,
    { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
    'auth',
  ],
  ['Anthropic, forbidden', 403, { type: 'error', error: { type: 'permission_error', message: 'no' } }, 'auth'],
  [
    'Anthropic, filtered output',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'Output blocked by content filtering policy' } },
    'content_filter',
  ],
  [
    'Anthropic, timed out',
    504,
    { type: 'error', error: { type: 'timeout_error', message: 'Request timed out' } },
    'timeout',
  ],
  [
    'Anthropic, too large',
    413,
    {
      type: 'error',
      error: { type: 'request_too_large', message: 'Request exceeds the maximum allowed number of bytes.' },
    },
    'caller',
  ],
  [
    'vLLM, too long',
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
      type: 'BadRequestError',
      param: null,
      code: 400,
    },
    'context',
  ],
  [
    'vLLM, unknown model',
    404,
    { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', param: null, code: 404 },
    'not_found',
  ],
  [
    'llama.cpp, too long',
    400,
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size. try increasing the context size',
        type: 'exceed_context_size_error',
      },
    },
    'context',
  ],
  [
    'Google, too long',
    400,
    [
      {
        error: {
          code: 400,
          message:
            'The input token count (40000) exceeds the maximum number of tokens allowed: reduce the length of the prompt',
          status: 'INVALID_ARGUMENT',
        },
      },
    ],
    'context',
  ],
  ['FastAPI', 422, { detail: [{ loc: ['body', 'messages'], msg: 'field required' }] }, 'caller'],
  ['a page of a proxy', 502, '<html><body>Bad gateway</body></html>', 'server'],
  ['a page of Cloudflare', 522, '<!DOCTYPE html><title>522</title>', 'server'],
  ['a page of a proxy that is full', 503, '<html>', 'overloaded'],
  ['a page where a model should be', 404, '<html>', 'not_found'],
  ['nothing', 500, '', 'server'],
  ['nothing but 408', 408, '', 'timeout'],
  ['too fast, about context', 429, { error: { message: 'exceeds context length per minute' } }, 'rate_limited'],
]

describe('of others', () => {
  test.each(DOCUMENTED.map(([what, ...rest]) => [what, rest] as const))('%s', (_, [status, body, kind, code]) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    for (const dialect of Object.values(dialects)) {
      const failure = dialect.readError(status, text)
      expect(failure.kind).toBe(kind)
      if (code !== undefined) expect(failure.code).toBe(code)
      expect(failure.message).not.toContain('<')
    }
  })

  test('names the field it blames', () => {
    expect(chat('openai-chat').readError(400, '{"error":{"message":"no","param":"temperature"}}').param).toBe(
      'temperature',
    )
  })

  test('keeps a message short, however long it came', () => {
    for (const body of [
      JSON.stringify({ error: 'x'.repeat(5000) }),
      'y'.repeat(5000),
      JSON.stringify({ detail: 'z'.repeat(5000) }),
    ]) {
      expect(chat('ollama-chat').readError(400, body).message.length).toBeLessThanOrEqual(500)
    }
  })

  test('in streams are told apart by their words, since there is no status', () => {
    const error = (text: string) => eventsIn(chat('openai-chat'), `data: ${text}\n\n`)[0]
    expect(error('{"error":{"message":"slow down","code":"rate_limit_exceeded"}}')).toMatchObject({
      kind: 'rate_limited',
    })
    expect(error('{"error":{"message":"This model\'s maximum context length is 5"}}')).toMatchObject({
      kind: 'context',
    })
    expect(error('{"error":"kaputt"}')).toMatchObject({ type: 'error', kind: 'server' })
    const overloaded =
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    expect(eventsIn(chat('anthropic'), overloaded)[0]).toMatchObject({ type: 'error', kind: 'overloaded' })
  })
})

describe('ours', () => {
  const refusal = new Refusal('budget_exceeded', 'The budget is spent.', {
    facts: { scope: 'key', limit: 5, spent: 5 },
  })

  test('to OpenAI clients, with their facts', () => {
    expect(chat('openai-chat').writeError(refusal)).toEqual({
      status: 422,
      body: {
        error: {
          scope: 'key',
          limit: 5,
          spent: 5,
          message: 'The budget is spent.',
          type: 'budget_exceeded',
          param: null,
          code: 'budget_exceeded',
        },
      },
    })
  })

  test('facts cannot take the place of what an error must say', () => {
    const sly = new Refusal('forbidden', 'No.', { facts: { message: 'Yes.', type: 'fine' } })
    expect(chat('openai-chat').writeError(sly).body.error).toMatchObject({ message: 'No.', type: 'permission_error' })
  })

  test('to Anthropic clients', () => {
    expect(chat('anthropic').writeError(new Refusal('model_not_found', "The model 'x' does not exist."))).toEqual({
      status: 404,
      body: {
        type: 'error',
        error: {
          type: 'not_found_error',
          message: "The model 'x' does not exist.",
          details: { error_code: 'model_not_found' },
        },
      },
    })
  })

  test('to Ollama clients, who look for "not found"', () => {
    const unknown = chat('ollama-chat').writeError(new Refusal('model_not_found', "The model 'x' does not exist."))
    expect(unknown.status).toBe(404)
    expect(unknown.body.error).toContain('not found')
    expect(chat('ollama-chat').writeError(new Refusal('forbidden', 'No.')).body).toEqual({ error: 'No.' })
  })

  const WORDS: [RefusalCode, openai: string, code: string, anthropic: string][] = [
    ['invalid_json', 'invalid_request_error', 'invalid_json', 'invalid_request_error'],
    ['invalid_api_key', 'authentication_error', 'invalid_api_key', 'authentication_error'],
    ['model_access_denied', 'permission_error', 'model_access_denied', 'permission_error'],
    ['model_not_found', 'not_found_error', 'model_not_found', 'not_found_error'],
    ['context_length_exceeded', 'invalid_request_error', 'context_length_exceeded', 'invalid_request_error'],
    ['rate_limit_exceeded', 'rate_limit_error', 'rate_limit_exceeded', 'rate_limit_error'],
    ['body_too_large', 'invalid_request_error', 'request_too_large', 'request_too_large'],
    ['overloaded', 'server_error', 'overloaded', 'overloaded_error'],
    ['upstream_timeout', 'server_error', 'upstream_timeout', 'timeout_error'],
    ['upstream_error', 'server_error', 'upstream_error', 'api_error'],
    ['internal_error', 'server_error', 'internal_error', 'api_error'],
  ]
  test.each(WORDS)('%s has its word in each dialect', (code, type, word, theirs) => {
    const told = new Refusal(code, 'So it is.', { param: 'p' })
    expect(chat('openai-chat').writeError(told).body.error).toMatchObject({ type, code: word, param: 'p' })
    expect(chat('anthropic').writeError(told).body.error).toMatchObject({ type: theirs })
  })

  test('the private sentence stays private', () => {
    const secret = new Refusal('upstream_error', 'It failed.', { private: 'sk-secret' })
    for (const dialect of Object.values(dialects))
      expect(JSON.stringify(dialect.writeError(secret))).not.toContain('sk-secret')
    for (const dialect of chatDialects) expect(dialect.writeStreamError(secret)).not.toContain('sk-secret')
  })

  test('inside a stream are read as errors by their own dialect', () => {
    for (const dialect of chatDialects) {
      const told = dialect.writeStreamError(new Refusal('stream_interrupted', 'It broke.'))
      expect(eventsIn(dialect, told)).toMatchObject([{ type: 'error', message: 'It broke.' }])
    }
  })

  test("an upstream's words about its failure in a stream are not passed on", () => {
    for (const dialect of chatDialects) {
      const write = dialect.writer({ extras: { dialect: 'openai-chat', fields: {} } } as never, { id: 'r', created: 0 })
      const told = write({ type: 'error', message: 'key sk-123 is bad' })
      expect(told).not.toContain('sk-123')
      expect(eventsIn(dialect, told)[0]?.type).toBe('error')
    }
  })
})

test('ids of dialects are their keys', () => {
  for (const [id, dialect] of Object.entries(dialects)) expect(dialect.id).toBe(id as DialectId)
})

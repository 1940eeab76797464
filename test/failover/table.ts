/**
 * What an ideal gateway does at each fault. Each is a row of `failover.test.ts`, where a fault can be met in both ways: at a
 * primary (or by a caller) of OpenAI's dialect and of Ollama's, streamed and whole.
 */

interface Row {
  ideal: string
  /** Where it is about streams alone, or about answers that are not. */
  only?: 'streamed' | 'whole'
}

/** Faults of upstreams, of the way to them, and of callers. */
export const FAULTS_OF_ALL_SIDES = {
  '429 with Retry-After: 2, once': { ideal: 'Retry no earlier than Retry-After says (or fail over); answer in full.' },
  '429 without Retry-After, persistent': { ideal: 'Back off, at most a few tries, then answer from the backup.' },
  '500 once, then healthy': { ideal: 'One retry on the same target answers.' },
  '503 persistent': { ideal: 'Fail over inside the retry budget.' },
  'TCP reset before headers, once': { ideal: 'Retry or fail over; answer.' },
  'No response at all': {
    ideal: 'Give the silent target up at the first timeout, do not ask it again, answer from the backup.',
  },
  'Slow first token': { ideal: 'A first-token limit (< 15 s) moves the request to the backup.' },
  'Stream cut after 40 of 60 words': {
    ideal: 'Deliver the whole answer through another target, else an in-band error; never a quiet end.',
    only: 'streamed',
  },
  'Stream stalls after 20 words': {
    ideal: 'Notice the stall within 45 s, continue elsewhere or send an in-band error; stay healthy.',
    only: 'streamed',
  },
  'Malformed event in the stream': {
    ideal: 'Skip the event (or fail over); pass no garbage on; stay up.',
    only: 'streamed',
  },
  'Stream ends without its end marker': {
    ideal: 'Finish at once when the answer is finished; report usage.',
    only: 'streamed',
  },
  'Context length exceeded (400)': { ideal: 'Never resend to the same model; try a larger one if there is one.' },
  'Content-filter rejection (400)': { ideal: 'Do not retry or route around; hand the reason to the caller.' },
  'Stream cut and the backup rejects prefill': {
    ideal: 'Continue only where prefill is supported, else restart or a clean error about the real failure.',
    only: 'streamed',
  },
  'Primary down, then healthy; a request every few seconds': {
    ideal:
      'Serve every request from the backup during the outage, probe, be back on the primary within 30 s of recovery.',
  },
  'Fail-over accounting': { ideal: 'The answer names the model that gave it and carries its usage.' },
  'Slow reader of a huge stream': {
    ideal: 'Backpressure reaches the upstream: neither memory nor buffered bytes grow while the reader is slow.',
    only: 'streamed',
  },
  'Client leaves mid-stream': {
    ideal: "Cancel the upstream request within 1 s of the client's disconnect.",
    only: 'streamed',
  },
  'Client leaves while waiting for a plain answer': {
    ideal: 'Cancel the upstream request within 1 s, do not retry it.',
    only: 'whole',
  },
  'Half-close: client shuts its sending side, then reads': {
    ideal: 'Answer in full (or hang up and cancel within 1 s); never hang.',
  },
  'Invalid UTF-8 in the JSON': { ideal: '400 (or replacement characters), never 500.' },
  'Empty body': { ideal: '400 without asking any upstream.' },
  'messages is a string': { ideal: '400 without asking any upstream.' },
  'messages missing': { ideal: '400 without asking any upstream.' },
  '100 MB body, chunked': { ideal: '413 as soon as the limit is known to be passed; memory stays bounded.' },
  'JSON nested 100 000 deep': { ideal: '400, no crash, no 500.' },
  'Form content-type with a JSON body': { ideal: '400/415, or take it as JSON.' },
  '1 MB request header': { ideal: '431/400 or close; others are not disturbed.' },
  'NUL byte in the JSON text': { ideal: '400 without asking any upstream.' },
  'NUL byte in a header': { ideal: '400 or close.' },
  'Unknown model': { ideal: '404 (or 400) naming the model without asking any upstream.' },
  'Negative max_tokens': { ideal: '400; at most one upstream attempt, no fail-over.' },
  'GET on the chat endpoint': { ideal: '405 or 404.', only: 'whole' },
  'Wrong gateway key': { ideal: '401 without asking any upstream.' },
  'Content-Length and Transfer-Encoding together': { ideal: '400 or close: one request must not be read as two.' },
  'Two different Content-Lengths': { ideal: '400 or close.' },
  'Garbage bytes inside the stream': {
    ideal: 'Skip what is not an event, deliver the answer whole and clean.',
    only: 'streamed',
  },
  'UTF-8 split across chunks': { ideal: 'Characters arrive intact.' },
  'SSE comments, event/id/retry fields, no space after data:': {
    ideal: 'Same answer; SSE as specified.',
    only: 'streamed',
  },
  'No [DONE], body ended by close': { ideal: 'Finish normally, add the missing [DONE].' },
  'Usage missing': { ideal: 'Answer normally; finish_reason present; usage absent or estimated.' },
  '200 with an error body': { ideal: 'It is an error: fail over.' },
  'In-band error after 10 words': {
    ideal: 'Continue on another target or send an in-band error; never a quiet end.',
    only: 'streamed',
  },
  'HTML page with status 502': { ideal: 'Fail over; no HTML reaches the client.' },
  'Body shorter than Content-Length': { ideal: 'Treat as failed: fail over.' },
  'Body longer than Content-Length': { ideal: 'Invalid JSON: fail over, drop the connection.' },
  'Corrupt gzip answer': { ideal: 'Fail over.' },
  '302 redirect to a foreign host': {
    ideal: 'Never follow: neither prompt nor key may reach another host; fail over.',
  },
  '308 redirect to a foreign host': {
    ideal: 'Never follow: neither prompt nor key may reach another host; fail over.',
  },
  'Plain JSON for a stream request': { ideal: 'Turn it into a stream, or fail over.', only: 'streamed' },
  '1xx answers before the 200': { ideal: 'Ignore them.' },
  'One event of 48 MB without an end': { ideal: 'Cap the event size, fail over; memory stays bounded.' },
  '429 with Retry-After as a date': { ideal: 'Understand the date: wait for it or fail over.' },
  '429 with Retry-After: 120': { ideal: 'Too long to wait: fail over at once.' },
  '429 with Retry-After: 0': { ideal: 'Do not hammer.' },
  'Primary answers 401': { ideal: "Our key is bad, not the client's: fail over without retrying." },
  'Every target answers 401 and echoes its key': {
    ideal: "502-like error; neither key nor upstream's words reach the client.",
  },
  'Every target answers 403 and echoes its key': {
    ideal: "502-like error; neither key nor upstream's words reach the client.",
  },
  'Cloudflare 520/522/524': { ideal: 'Fail over.' },
  'Very slow drip: bytes flow, no event ever completes': {
    ideal: 'Deadlines count events, not bytes: fail over like for a silent target.',
  },
  'Connection refused': { ideal: 'Fail over at once.' },
  'Connect hangs (SYNs dropped)': { ideal: 'A short connect timeout, then fail over.' },
  'Connection reset after headers, before content': { ideal: 'Nothing was delivered yet: fail over.' },
  'Stream ends after the first (empty) event': { ideal: 'Nothing was delivered yet: fail over.', only: 'streamed' },
  'Name of the primary does not resolve': { ideal: 'Fail over at once.' },
  'All targets 503': { ideal: 'A clear 502/503 within 10 s.' },
  'All targets silent': { ideal: 'One deadline over all tries: a clear 504 within 65 s.' },
  'Retry budget': { ideal: 'At most 4 upstream attempts for one request over all targets.' },
  'Primary: model not found (404)': {
    ideal: 'Our configuration or the local pull is wrong: fail over without retrying.',
  },
  'Local model needs 12 s to load': { ideal: 'Answer (from either side) without an error.' },
  'Everything was down, then one backup returns': {
    ideal: 'An open breaker is a last resort, not a refusal: the next request is served.',
  },
  '50 clients at once while the primary flaps': { ideal: 'Every client gets its own answer, once, whole.' },
  'kill -9 with 50 requests in flight, restart': {
    ideal: 'Clients see the break at once; the gateway serves again within 5 s.',
  },
} as const satisfies Record<string, Row>

/** The same ground by other names, and what is beyond it. */
export const MORE = {
  'refused connection': { ideal: 'The next target at once.' },
  'reset before headers': { ideal: 'Retry or fail over.' },
  'reset after headers': { ideal: 'Nothing was delivered yet: fail over.' },
  'reset in the stream': { ideal: 'Continue elsewhere, else an in-band error.', only: 'streamed' },
  'DNS failure': { ideal: 'The next target at once.' },
  'never answers': { ideal: 'Given up in time, not asked again.' },
  'answers 200 with nothing': { ideal: 'It is no answer: fail over.' },
  'silent stall after some tokens': { ideal: 'Noticed; continue elsewhere, else an in-band error.', only: 'streamed' },
  'slow drip': {
    ideal: 'Slower than its floor counts as failing, where somebody else can do better.',
    only: 'streamed',
  },
  '429 with seconds': { ideal: 'Not before they are over, or elsewhere.' },
  '429 with a date': { ideal: 'Understood as seconds are.' },
  '429 without': { ideal: 'Backoff, or elsewhere.' },
  '500': { ideal: 'Once more, then elsewhere.' },
  '502': { ideal: 'Once more, then elsewhere.' },
  '503': { ideal: 'Once more, then elsewhere.' },
  '529': { ideal: 'Once more, then elsewhere.' },
  '401 upstream': { ideal: 'Elsewhere; the caller sees neither the key nor the body.' },
  '403 upstream': { ideal: 'Elsewhere; the caller sees neither the key nor the body.' },
  "400 that is the caller's": { ideal: 'Told as it is; nobody is asked again.' },
  'context overflow': { ideal: 'Elsewhere, never the same model.' },
  'content filter': { ideal: 'Told as it is; nobody is asked again.' },
  'HTML instead of JSON': { ideal: 'No answer, whatever its status: fail over.' },
  'truncated JSON': { ideal: 'No answer: fail over.' },
  'wrong content-length': { ideal: 'Shorter or longer: fail over.' },
  gzip: { ideal: 'Read as what it is.' },
  'error inside a 200': { ideal: 'It is an error: fail over.' },
  'error as the first SSE event': { ideal: 'Nothing was delivered yet: fail over.', only: 'streamed' },
  'error as a later SSE event': { ideal: 'Continue elsewhere, else an in-band error.', only: 'streamed' },
  'missing [DONE]': { ideal: 'Added.', only: 'streamed' },
  'missing usage': { ideal: 'A whole answer all the same.' },
  'prefill refused by the second target': { ideal: 'A clear error of the real failure.', only: 'streamed' },
  'redirect to a foreign host': { ideal: 'Not followed: fail over.' },
  'all targets down': { ideal: 'A clear error, within the total time.' },
  'primary healed': { ideal: 'Traffic returns within the cooldown.' },
  '50 callers while the primary flaps': { ideal: 'No answer lost, doubled or mixed up.' },
  'slow reader': { ideal: 'Memory bounded, the upstream slowed.', only: 'streamed' },
  'leaving at byte n': { ideal: 'Upstream cancelled within 1 s, charged as published, no hold left.' },
  'half-closed': { ideal: 'Answered in full, or hung up and cancelled within 1 s.' },
  'pipelined requests': { ideal: 'Answered in order, none mixed up.' },
} as const satisfies Record<string, Row>

export const ROWS: Record<string, Row> = { ...FAULTS_OF_ALL_SIDES, ...MORE }
export type RowName = keyof typeof FAULTS_OF_ALL_SIDES | keyof typeof MORE

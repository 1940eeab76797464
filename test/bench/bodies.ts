/** Request bodies of realistic shapes. `model` and `stream` stand first, as the SDKs write them. */

const PROSE =
  'The toll is taken at the gate and written down before the lane opens; whoever asks later finds each coin in the book. '
const CODE = 'if (line[i] === "\\"") {\n\tout.push("\\\\" + line.slice(i, i + 2))\r\n\treturn "\\u00e9" + \'\\t\'\n}\n'

const fill = (text: string, bytes: number): string => text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes)

const wrap = (model: string, stream: boolean, messages: { role: string; content: string }[]): string =>
  JSON.stringify({
    model,
    ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    messages,
    max_tokens: 256,
  })

export type Shape = 'small' | 'string' | 'messages' | 'code'

/** `small` is about 200 bytes on the wire, the others about 100 kB. */
export function makeBody(shape: Shape, model: string, stream: boolean): string {
  const user = (content: string) => ({ role: 'user', content })
  if (shape === 'small') return wrap(model, stream, [user(fill(PROSE, 110))])
  if (shape === 'string') return wrap(model, stream, [user(fill(PROSE, 100_000))])
  if (shape === 'code') return wrap(model, stream, [user(fill(CODE, 70_000))])
  const turns = Array.from({ length: 100 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: fill(`${i}. ${PROSE}`, 970),
  }))
  return wrap(model, stream, [...turns, user('And now?')])
}

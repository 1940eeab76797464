/** SageMaker's frames around what a container writes, and its errors around the container's own. */
import { expect, test } from 'bun:test'
import type { ChatTarget } from '../../src/dialects/dialect.ts'
import { message, piece } from './frames.ts'
import { chatOf, dialectOf, eventsOf, linkOf, sent, told } from './house.ts'

const ID = 'sagemaker-chat'
const AWS = {
  aws_region_name: 'eu-west-1',
  aws_access_key_id: 'AKIDEXAMPLE',
  aws_secret_access_key: 'secret-of-the-key',
}

test('is signed for its own service', async () => {
  const { headers, body } = await sent(linkOf('sagemaker_chat/my-llama', AWS), chatOf())
  expect(headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/sagemaker\/aws4_request, /,
  )
  expect(body).toMatchObject({ messages: [{ role: 'user', content: 'Hello' }] })
})

test('a letter that two pieces share is whole', () => {
  const chunk = (content: string) =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`
  const bytes = new TextEncoder().encode(`${chunk('Grüße 👋')}data: [DONE]\n\n`)
  for (let cut = 1; cut < bytes.length; cut++) {
    const stream = Buffer.concat([piece(bytes.subarray(0, cut)), piece(bytes.subarray(cut))])
    expect([cut, told(eventsOf(ID, stream)).text]).toEqual([cut, 'Grüße 👋'])
  }
})

test('a container that breaks is an error of the stream', () => {
  const header = (name: string, value: string) =>
    Buffer.concat([Buffer.of(name.length), Buffer.from(name), Buffer.of(7, 0, value.length), Buffer.from(value)])
  const broken = message(
    [header(':exception-type', 'ModelStreamError'), header(':message-type', 'exception')],
    JSON.stringify({ Message: 'Your model is gone', ErrorCode: 'ModelInvocationTimeExceeded' }),
  )
  expect(() => eventsOf(ID, broken)).toThrow('Your model is gone')
})

test('errors are those of the container where it answered', () => {
  const kind = (status: number, body: object) =>
    (dialectOf(ID) as ChatTarget).readError(status, JSON.stringify(body)).kind
  const original = (status: number, message: string) => ({
    ErrorCode: 'CLIENT_ERROR_FROM_MODEL',
    Message: 'Received client error from primary with message',
    OriginalStatusCode: status,
    OriginalMessage: JSON.stringify({ error: { message } }),
  })
  expect(kind(424, original(422, "'temperature' must be a number"))).toBe('caller')
  expect(kind(424, original(400, 'This exceeds the maximum context length of 8192 tokens'))).toBe('context')
  expect(kind(424, original(503, 'Overloaded'))).toBe('overloaded')
  expect(kind(400, { Message: 'Endpoint my-llama of account 123456789012 not found.' })).toBe('not_found')
  expect(kind(403, { Message: 'User is not authorized to perform: sagemaker:InvokeEndpoint' })).toBe('auth')
})

import { expect, test } from 'bun:test'
import { usage } from '../../src/core/usage.ts'
import { serviceInHeaders, usageInHeaders } from '../../src/upstream/told.ts'

test("Bedrock counts in headers what Cohere's embeddings leave out of their body", () => {
  const headers = new Headers({
    'content-type': 'application/json',
    'x-amzn-requestid': '3f1d',
    'x-amzn-bedrock-input-token-count': '12',
    'x-amzn-bedrock-invocation-latency': '120',
  })
  expect(usageInHeaders(headers)).toEqual(usage({ input: 12 }))
  headers.set('x-amzn-bedrock-output-token-count', '5')
  expect(usageInHeaders(headers)).toEqual(usage({ input: 12, output: 5 }))
  expect(usageInHeaders(new Headers({ 'x-amzn-bedrock-input-token-count': 'many' }))).toBeUndefined()
  expect(usageInHeaders(new Headers())).toBeUndefined()
})

test('how an answer was served', () => {
  expect(serviceInHeaders(new Headers({ 'x-gemini-service-tier': 'standard' }))).toBe('standard')
  expect(serviceInHeaders(new Headers({ 'x-gemini-service-tier': 'priority' }))).toBe('priority')
  expect(serviceInHeaders(new Headers({ 'x-amzn-bedrock-service-tier': 'flex' }))).toBe('flex')
  expect(serviceInHeaders(new Headers())).toBeUndefined()
})

/** What the headers of an answer tell of its usage where its body does not. */
import { type Service, serviceOf, type Usage, usage } from '../core/usage.ts'

/** Bedrock counts what bodies of other makers leave out: Cohere's embeddings (docs.aws.amazon.com: InvokeModel). */
export function usageInHeaders(headers: Headers): Usage | undefined {
  const count = (side: 'input' | 'output') => Number(headers.get(`x-amzn-bedrock-${side}-token-count`) ?? 0)
  const [input, output] = [count('input'), count('output')]
  return input > 0 || output > 0 ? usage({ input, output }) : undefined
}

/** How it was served: Gemini's API (ai.google.dev/gemini-api/docs/priority-inference) and Bedrock say it here. */
export const serviceInHeaders = (headers: Headers): Service | undefined =>
  serviceOf(headers.get('x-gemini-service-tier') ?? headers.get('x-amzn-bedrock-service-tier'))

/** The providers that these tests know of. */
import { z } from 'zod'
import type { KnownProvider } from '../../src/config/config.ts'
import { load } from '../../src/config/load.ts'
import { showProblem } from '../../src/config/problem.ts'

export const PROVIDERS: readonly KnownProvider[] = [
  { id: 'ollama', prefixes: ['ollama_chat'], local: true, env: { api_base: ['OLLAMA_API_BASE', 'OLLAMA_HOST'] } },
  {
    id: 'openai',
    settings: z.object({ api_key: z.string(), organization: z.string().optional() }),
    env: { api_key: ['OPENAI_API_KEY'], api_base: ['OPENAI_BASE_URL'] },
  },
  { id: 'anthropic', env: { api_key: ['ANTHROPIC_API_KEY'] } },
  { id: 'two_steps', prefixes: ['openai/responses'] },
  { id: 'cloudy', settings: z.object({ api_key: z.string(), aws_region_name: z.string() }) },
  { id: 'demo', local: true },
]

type Env = Record<string, string | undefined>

/** The configuration of a file that must be right. */
export function right(text: string, env: Env = {}) {
  const loaded = load(text, env, PROVIDERS)
  if (!loaded.ok) throw new Error(loaded.errors.map((error) => showProblem('t.yaml', error)).join('\n'))
  return loaded
}

/** Every error and warning as it is shown, `E` or `W` before it. */
export function told(text: string, env: Env = {}): string[] {
  const loaded = load(text, env, PROVIDERS)
  return [
    ...(loaded.ok ? [] : loaded.errors.map((error) => `E ${showProblem('t.yaml', error)}`)),
    ...loaded.warnings.map((warning) => `W ${showProblem('t.yaml', warning)}`),
  ]
}

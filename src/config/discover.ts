/**
 * A gateway without a configuration file: what stands around it becomes its models. The probe of Ollama is given as a
 * function; everything else is pure.
 */
import type { Config, KnownProvider } from './config.ts'
import type { Env } from './interpolate.ts'
import { normalise } from './normalise.ts'
import { ollamaOrigin } from './ollama-host.ts'
import { type FileConfig, fileSchema } from './schema.ts'

/** What Ollama answered: the names of its models, or why there are none. */
export type OllamaAnswer = { ok: true; models: readonly string[] } | { ok: false; why: string }

/** Asks the Ollama at this origin for its models; never throws. */
export type Probe = (origin: string) => Promise<OllamaAnswer>

export interface Discovery {
  /** As a file would say it, for `tollgate init`. Keys stand as `os.environ/NAME`. */
  file: FileConfig
  config: Config
  /** One line for each thing looked for, for the terminal. */
  found: string[]
  /** An alias to try first. */
  first: string
}

/** Ollama's `name:latest` is `name`: one alias is enough, since the gateway finds the other. */
const shortName = (model: string): string => model.replace(/:latest$/, '')

type Entry = { model_name: string; litellm_params: Record<string, string> }

/**
 * What there is, as a configuration.
 * @param providers those that exist; clouds without a provider are not offered
 */
export function discovered(
  env: Env,
  providers: readonly KnownProvider[],
  origin: string,
  ollama: OllamaAnswer,
): Discovery {
  const entries: Entry[] = []
  const found: string[] = []
  if (providers.some((provider) => provider.id === 'ollama')) {
    const models = ollama.ok ? [...new Set(ollama.models)] : []
    for (const model of models)
      for (const name of [shortName(model), `ollama/${shortName(model)}`])
        entries.push({ model_name: name, litellm_params: { model: `ollama/${model}`, api_base: origin } })
    found.push(
      ollama.ok ? `Ollama at ${origin}: ${told(models.map(shortName))}` : `no Ollama at ${origin} (${ollama.why})`,
    )
  }
  const spoken = new Set<string>()
  for (const provider of providers) {
    if (provider.local || provider.id === 'ollama') continue
    const name = provider.env?.api_key?.find((variable) => env[variable])
    // One key opens one provider: the first that reads it.
    if (name === undefined || spoken.has(name) || !suffices(provider, env)) continue
    spoken.add(name)
    const alias = `${provider.id}/*`
    entries.push({ model_name: alias, litellm_params: { model: alias, api_key: `os.environ/${name}` } })
    found.push(`${name}: ${alias}`)
  }
  if (entries.length === 0) {
    entries.push({ model_name: 'demo', litellm_params: { model: 'demo/demo' } })
    found.push('no model found: the built-in `demo` answers')
  }
  const file = fileSchema.parse({ model_list: entries })
  const open = structuredClone(file)
  for (const { litellm_params: params } of open.model_list)
    if (params.api_key?.startsWith('os.environ/')) params.api_key = env[params.api_key.slice('os.environ/'.length)]
  return { file, config: normalise(open, providers, env), found, first: firstToTry(entries) }
}

/** Whether the environment holds all that the provider needs besides a key (Azure's address, Cloudflare's account). */
function suffices(provider: KnownProvider, env: Env): boolean {
  const settings = provider.settings as { safeParse?(given: unknown): { success: boolean } } | undefined
  const given: Record<string, string> = {}
  for (const [setting, variables] of Object.entries(provider.env ?? {})) {
    const value = variables?.map((variable: string) => env[variable]).find((said) => said)
    if (value !== undefined) given[setting] = value
  }
  return settings?.safeParse?.(given).success ?? true
}

/** Looks around: asks Ollama, reads the environment. */
export async function discover(env: Env, providers: readonly KnownProvider[], probe: Probe): Promise<Discovery> {
  const origin = ollamaOrigin(env.OLLAMA_HOST)
  return discovered(env, providers, origin, await probe(origin))
}

/** The names that an Ollama tells at /api/tags; undefined where this is no such answer. */
export function readTags(body: unknown): string[] | undefined {
  const models = (body as { models?: unknown } | null)?.models
  if (!Array.isArray(models)) return undefined
  return models.map((model) => (model as { name?: unknown } | null)?.name).filter((name) => typeof name === 'string')
}

const SHOWN = 6

function told(names: readonly string[]): string {
  if (names.length === 0) return 'it has no model yet (`ollama pull llama3.2`)'
  const more = names.length - SHOWN
  return names.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Small models of well-known clouds, to fill in a star. */
const TRY: Readonly<Record<string, string>> = {
  'openai/*': 'openai/gpt-4o-mini',
  'anthropic/*': 'anthropic/claude-haiku-4-5',
  'gemini/*': 'gemini/gemini-2.5-flash',
  'openrouter/*': 'openrouter/openai/gpt-4o-mini',
  'groq/*': 'groq/llama-3.1-8b-instant',
  'mistral/*': 'mistral/mistral-small-latest',
  'deepseek/*': 'deepseek/deepseek-chat',
  'xai/*': 'xai/grok-3-mini',
  'together_ai/*': 'together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo',
  'fireworks_ai/*': 'fireworks_ai/llama-v3p3-70b-instruct',
  'cerebras/*': 'cerebras/llama3.1-8b',
  'cohere/*': 'cohere/command-r7b-12-2024',
  'perplexity/*': 'perplexity/sonar',
  'bedrock/*': 'bedrock/amazon.nova-lite-v1:0',
}

/** A model that surely exists comes first; then a star that can be filled in. Embedders can't chat. */
export function firstToTry(entries: readonly { model_name: string }[]): string {
  const names = entries.map((entry) => entry.model_name)
  const plain = names.filter((name) => !name.includes('*'))
  const known = names.map((name) => TRY[name]).find((name) => name !== undefined)
  return plain.find((name) => !/embed|bge-|minilm/i.test(name)) ?? known ?? plain[0] ?? names[0] ?? 'demo'
}

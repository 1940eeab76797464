/** The models the mock claims to have, and Ollama's and OpenAI's routes about them. */
import type { Json } from './wire/speaker.ts'

export interface Loaded {
  size?: number
  sizeVram?: number
  contextLength?: number
}

const DETAILS = {
  parent_model: '',
  format: 'gguf',
  family: 'llama',
  families: ['llama'],
  parameter_size: '397K',
  quantization_level: 'F16',
}

const SIZE = 805_184
const full = (name: string): string => (name.includes(':') ? name : `${name}:latest`)
const digest = (name: string): string => new Bun.CryptoHasher('sha256').update(name).digest('hex')

export class House {
  #models: Set<string>
  #loaded = new Map<string, Loaded>()
  /** Answers for any name where no models were given. */
  readonly #any: boolean

  constructor(models: readonly string[] | undefined) {
    this.#models = new Set(models ?? ['mock-model'])
    this.#any = models === undefined
  }

  has(name: string): boolean {
    const plain = name.replace(/:latest$/, '')
    return this.#any || name.includes('!') || this.#models.has(plain) || this.#models.has(name)
  }

  add(name: string): void {
    this.#models.add(name)
  }

  remove(name: string): boolean {
    return this.#models.delete(name)
  }

  /** What another kind of server says of itself, by path: a text as it is, anything else as JSON. */
  readonly pages = new Map<string, unknown>()

  /** Shown in `/api/ps` from now on. */
  load(name: string, loaded: Loaded = {}): void {
    this.#loaded.set(name, loaded)
  }

  unload(name: string): void {
    this.#loaded.delete(name)
  }

  tags(): Json {
    return {
      models: [...this.#models].map((name) => ({
        name: full(name),
        model: full(name),
        modified_at: '2026-01-02T03:04:05.678901234Z',
        size: SIZE,
        digest: digest(name),
        details: DETAILS,
      })),
    }
  }

  ps(): Json {
    return {
      models: [...this.#loaded].map(([name, { size = SIZE, sizeVram = size, contextLength = 4096 }]) => ({
        name: full(name),
        model: full(name),
        size,
        digest: digest(name),
        details: DETAILS,
        expires_at: new Date(Date.now() + 300_000).toISOString(),
        size_vram: sizeVram,
        context_length: contextLength,
      })),
    }
  }

  show(name: string): Json {
    return {
      modelfile: `FROM ${full(name)}\n`,
      parameters: 'num_predict                    32',
      template: '{{ .Prompt }}',
      details: DETAILS,
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 4096, 'llama.embedding_length': 64 },
      capabilities: ['completion', 'tools'],
      modified_at: '2026-01-02T03:04:05.678901234Z',
    }
  }

  /** `/v1/models`, in Anthropic's shape for a caller that sends `anthropic-version`. */
  list(anthropic: boolean): Json {
    const names = [...this.#models]
    if (!anthropic) return { object: 'list', data: names.map(openaiModel) }
    const data = names.map(anthropicModel)
    return { data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }
  }
}

export const openaiModel = (id: string): Json => ({ id, object: 'model', created: 1_767_323_045, owned_by: 'mock' })

export const anthropicModel = (id: string): Json => ({
  type: 'model',
  id,
  display_name: id,
  created_at: '2026-01-02T03:04:05Z',
})

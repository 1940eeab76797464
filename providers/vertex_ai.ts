import { readFileSync } from 'node:fs'
import type { AuthClient } from 'google-auth-library'
import { z } from 'zod'
import { chatAction, writePath } from '../src/dialects/gemini/path.ts'
import { type Secret, secret } from '../src/secrets/secret.ts'
import { defineProvider } from '../src/upstream/provider.ts'
import { noToken, tokenFor } from '../src/upstream/token.ts'
import { mistral } from './quirks.ts'

interface Credentials {
  type?: string
  project_id?: string
  quota_project_id?: string
  client_email?: string
  private_key?: string
}

/** The JSON of a key, or the path of a file that holds it. */
function read(said: Secret): Credentials {
  const text = said.reveal().trim()
  return JSON.parse(text.startsWith('{') ? text : readFileSync(text, 'utf8')) as Credentials
}

const settings = z
  .object({
    api_base: z.string().optional(),
    vertex_project: z.string().optional(),
    vertex_location: z.string().default('us-central1'),
    vertex_credentials: z.preprocess(
      (said) => (typeof said === 'object' && said?.constructor === Object ? JSON.stringify(said) : said),
      secret().optional(),
    ),
  })
  .superRefine((s, context) => {
    const fail = (at: string, message: string) => context.addIssue({ code: 'custom', path: [at], message })
    let found: Credentials | undefined
    try {
      found = s.vertex_credentials && read(s.vertex_credentials)
    } catch {
      fail('vertex_credentials', 'is neither the JSON of a key nor the path of a file that holds one')
    }
    if (!s.vertex_project && !found?.project_id && !found?.quota_project_id)
      fail('vertex_project', 'is missing: write it, or set VERTEXAI_PROJECT')
  })
type Settings = z.infer<typeof settings>

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'

/** Google's own library for each kind of key; without one, what it finds by itself (its default credentials). */
async function clientOf(key: Credentials | undefined): Promise<AuthClient> {
  // Loaded where it is needed: every start would be 70 ms longer.
  const { ExternalAccountClient, GoogleAuth, JWT, UserRefreshClient } = await import('google-auth-library')
  if (!key) return await new GoogleAuth({ scopes: [SCOPE] }).getClient()
  if (key.type === 'authorized_user') return UserRefreshClient.fromJSON(key as never)
  if (key.type !== 'external_account')
    return new JWT({ email: key.client_email ?? '', key: key.private_key ?? '', scopes: [SCOPE] })
  const client = ExternalAccountClient.fromJSON(key as never)
  if (!client) throw noToken('google', 'the key is of no kind that is known')
  client.scopes = [SCOPE]
  return client
}

async function token(s: Settings): Promise<string> {
  const key = s.vertex_credentials && read(s.vertex_credentials)
  const fingerprint = s.vertex_credentials ? Bun.hash(s.vertex_credentials.reveal()) : ''
  return await tokenFor(`google ${key?.client_email ?? 'default'} ${fingerprint}`, async () => {
    const client = await clientOf(key)
    const { token: text } = await client.getAccessToken()
    if (!text) throw noToken('google', 'it gave none')
    return { text, lifeMs: (client.credentials.expiry_date ?? Date.now() + 3_600_000) - Date.now() }
  })
}

const projectOf = (s: Settings): string => {
  const found = s.vertex_credentials && read(s.vertex_credentials)
  return s.vertex_project ?? found?.project_id ?? found?.quota_project_id ?? ''
}

/** `/v1/projects/{project}/locations/{location}` */
const place = (s: Settings): string =>
  `/v1/projects/${encodeURIComponent(projectOf(s))}/locations/${encodeURIComponent(s.vertex_location)}`

type Kind = 'claude' | 'embedding' | 'mistral' | 'open' | 'gemini'

/** By the name: each kind has its own dialect and publisher. */
function kindOf(model: string): Kind {
  if (/^(anthropic\/)?claude/.test(model)) return 'claude'
  if (/embedding|gecko/.test(model)) return 'embedding'
  if (/^(mistralai\/)?(mistral|codestral|ministral)/.test(model)) return 'mistral'
  return model.includes('/') && !/^(google|gemini|models)\//.test(model) ? 'open' : 'gemini'
}

/** A Gemini's name without LiteLLM's further prefix. */
const bareOf = (model: string): string => model.replace(/^(google|gemini)\//, '')

/** Without the publisher, which stands elsewhere in the path. */
const bare = (model: string): string => encodeURIComponent(model.replace(/^.*\//, ''))

/**
 * Google Cloud: Gemini and Claude, each in its own dialect, and the open models by OpenAI's
 * (cloud.google.com/vertex-ai/generative-ai/docs, platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai).
 */
export default defineProvider<Settings>({
  id: 'vertex_ai',
  prefixes: ['vertex_ai_beta', 'vertex'],
  settings: settings as unknown as z.ZodType<Settings>,
  env: {
    api_base: ['VERTEXAI_API_BASE'],
    vertex_project: ['VERTEXAI_PROJECT', 'GOOGLE_CLOUD_PROJECT'],
    vertex_location: ['VERTEXAI_LOCATION', 'VERTEX_LOCATION', 'GOOGLE_CLOUD_LOCATION'],
    vertex_credentials: ['VERTEXAI_CREDENTIALS', 'GOOGLE_APPLICATION_CREDENTIALS'],
  },
  speaks: {
    gemini: (model, stream, s) => {
      if (kindOf(model) !== 'gemini') return undefined
      // A tuned model is an endpoint with a number.
      const tuned = /^(?:gemini\/)?(\d+)$/.exec(model)?.[1]
      if (tuned) return `${place(s)}/endpoints/${tuned}:${chatAction(stream)}`
      return `${place(s)}/publishers/google/${writePath(bareOf(model), chatAction(stream))}`
    },
    anthropic: (model, stream, s) =>
      kindOf(model) === 'claude'
        ? `${place(s)}/publishers/anthropic/models/${bare(model)}:${stream ? 'streamRawPredict' : 'rawPredict'}`
        : undefined,
    'openai-chat': (model, stream, s) => {
      const kind = kindOf(model)
      if (kind === 'open') return `${place(s)}/endpoints/openapi/chat/completions`
      const action = stream ? 'streamRawPredict' : 'rawPredict'
      return kind === 'mistral' ? `${place(s)}/publishers/mistralai/models/${bare(model)}:${action}` : undefined
    },
    'vertex-embed': (model, _stream, s) =>
      kindOf(model) === 'embedding' ? `${place(s)}/publishers/google/models/${bare(model)}:predict` : undefined,
  },
  counts: {
    gemini: (model, _stream, s) =>
      kindOf(model) === 'gemini'
        ? `${place(s)}/publishers/google/${writePath(bareOf(model), 'countTokens')}`
        : undefined,
  },
  origin: ({ api_base, vertex_location: location }) => {
    if (api_base) return api_base.replace(/\/+$/, '').replace(/\/v1(beta1)?$/, '')
    if (location === 'global') return 'https://aiplatform.googleapis.com'
    return /^(us|eu)$/.test(location)
      ? `https://aiplatform.${location}.rep.googleapis.com`
      : `https://${location}-aiplatform.googleapis.com`
  },
  headers: () => ({}),
  authorize: async (s) => ({ authorization: `Bearer ${await token(s)}` }),
  amend: {
    // The model stands in the path, and the version in the body.
    anthropic: ({ model: _, ...wire }) => ({ anthropic_version: 'vertex-2023-10-16', ...wire }),
    'openai-chat': (wire, context) => (kindOf(context.model) === 'mistral' ? mistral(wire, context) : wire),
  },
  prices: 'google',
  abilities: { tools: true, images: true, audio: true, files: true, schema: true, thinking: true },
})

/** `litellm_params.model` → which provider, and which model of it. */
import type { KnownProvider } from './config.ts'
import { isPrefixOfLiteLLM } from './known.ts'
import { nearest } from './nearest.ts'

export type Resolved =
  | { ok: true; provider: KnownProvider; prefix: string; model: string }
  | { ok: false; message: string; suggestion?: string | undefined }

/** Names that say whose they are without a prefix; LiteLLM takes them so, too. */
const BARE: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|chatgpt-|o[134](-|$)|text-embedding-|whisper-|tts-|dall-e-)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^gemini-/, 'gemini'],
]

/** @param custom `custom_llm_provider`, where it is given */
export function resolveModel(said: string, custom: string | undefined, providers: readonly KnownProvider[]): Resolved {
  const find = (prefix: string) => providers.find((p) => p.id === prefix || p.prefixes?.includes(prefix))
  const all = () => providers.flatMap((p) => [p.id, ...(p.prefixes ?? [])])
  if (custom !== undefined) {
    const provider = find(custom)
    if (!provider) return unknown(custom, all())
    const model = said.startsWith(`${custom}/`) ? said.slice(custom.length + 1) : said
    return { ok: true, provider, prefix: custom, model }
  }
  const first = said.indexOf('/')
  // Two steps may be one prefix: `openai/responses/…`.
  const second = first < 0 ? -1 : said.indexOf('/', first + 1)
  const slash = second > 0 && find(said.slice(0, second)) ? second : first
  const prefix = slash < 0 ? BARE.find(([pattern]) => pattern.test(said))?.[1] : said.slice(0, slash)
  const model = slash < 0 ? said : said.slice(slash + 1)
  if (prefix === undefined)
    return {
      ok: false,
      message: `\`${said}\` has no provider before it. Write \`provider/${said}\`, for instance \`ollama/${said}\`.`,
    }
  const provider = find(prefix)
  if (!provider) return unknown(prefix, all())
  if (model === '') return { ok: false, message: `names no model behind \`${prefix}/\`.` }
  return { ok: true, provider, prefix, model }
}

/** Whose door opens only to a person with a browser: no key can be written down. */
const LOGINS: Readonly<Record<string, string>> = {
  github_copilot: "GitHub Copilot's subscription",
  chatgpt: "ChatGPT's subscription",
}

function unknown(prefix: string, known: readonly string[]): Resolved {
  const login = Object.hasOwn(LOGINS, prefix) ? LOGINS[prefix] : undefined
  if (login)
    return {
      ok: false,
      message: `\`${prefix}\` can't be used: ${login} is opened by signing in with a browser, and is not sold for a gateway. Use a key of \`openai/…\`, \`github/…\` or another provider.`,
    }
  // A provider that exists and is not built is no slip of the pen, so nothing near it is proposed.
  if (isPrefixOfLiteLLM(prefix))
    return {
      ok: false,
      message: `the provider \`${prefix}\` is known from LiteLLM and not built yet. A server that speaks OpenAI's dialect is reached with \`openai/…\` and \`api_base\`.`,
    }
  const near = nearest(prefix, known)
  return {
    ok: false,
    message: near
      ? `nobody knows the provider \`${prefix}\`. Did you mean \`${near}\`?`
      : `nobody knows the provider \`${prefix}\`. A server that speaks OpenAI's dialect is reached with \`openai/…\` and \`api_base\`.`,
    ...(near ? { suggestion: near } : {}),
  }
}

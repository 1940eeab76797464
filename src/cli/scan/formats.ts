/**
 * What keys look like: the prefixes and lengths by which those who issue them, and public scanners (gitleaks' default
 * rules), tell them from other text. What has no mark of its own, such as 32 hex digits, is not looked for: it would find
 * everything.
 */

export interface Format {
  /** Whose. */
  kind: string
  /** How much of its beginning says nothing of the secret. */
  shown: number
  source: string
}

/** Longer than the longest of them. */
export const LONGEST = 400

/** In this order: the first that fits says what it is. */
export const FORMATS: readonly Format[] = [
  { kind: 'Anthropic', shown: 12, source: 'sk-ant-[a-z]{3,5}\\d{2}-[\\w-]{80,120}' },
  { kind: 'OpenAI', shown: 8, source: 'sk-(?:proj|svcacct|admin)-[\\w-]{20,200}' },
  { kind: 'OpenAI', shown: 3, source: 'sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}' },
  { kind: 'OpenRouter', shown: 9, source: 'sk-or-v1-[0-9a-f]{64}' },
  // Tollgate's and LiteLLM's, those that an operator made himself, and others: a gateway knows its own.
  { kind: 'sk-', shown: 3, source: 'sk-[\\w-]{8,200}' },
  { kind: 'Google', shown: 4, source: 'AIza[\\w-]{35}' },
  { kind: 'Google OAuth', shown: 5, source: 'ya29\\.[\\w-]{30,250}' },
  { kind: 'AWS access key', shown: 4, source: '(?:AKIA|ASIA)[A-Z2-7]{16}' },
  { kind: 'AWS Bedrock', shown: 4, source: 'ABSK[A-Za-z0-9+/]{109,269}={0,2}' },
  { kind: 'Azure', shown: 0, source: '[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9]{18}ACOG[A-Za-z0-9]{4}' },
  { kind: 'Azure client secret', shown: 0, source: '[A-Za-z0-9_~.]{3}\\dQ~[A-Za-z0-9_~.-]{31,34}' },
  { kind: 'GitHub', shown: 4, source: 'gh[pousr]_[A-Za-z0-9]{36,255}' },
  { kind: 'GitHub', shown: 11, source: 'github_pat_[A-Za-z0-9_]{36,255}' },
  { kind: 'GitLab', shown: 6, source: 'glpat-[\\w-]{20,100}' },
  { kind: 'Slack', shown: 5, source: 'xox[abeoprs]-[A-Za-z0-9-]{20,250}' },
  { kind: 'Slack app', shown: 5, source: 'xapp-\\d-[A-Z0-9]+-\\d+-[a-z0-9]{32,128}' },
  { kind: 'Hugging Face', shown: 3, source: 'hf_[A-Za-z]{34}' },
  { kind: 'Groq', shown: 4, source: 'gsk_[A-Za-z0-9]{52}' },
  { kind: 'xAI', shown: 4, source: 'xai-[A-Za-z0-9]{80}' },
  { kind: 'Perplexity', shown: 5, source: 'pplx-[A-Za-z0-9]{48}' },
  { kind: 'Replicate', shown: 3, source: 'r8_[A-Za-z0-9]{37}' },
  { kind: 'NVIDIA', shown: 6, source: 'nvapi-[\\w-]{60,80}' },
  { kind: 'Stripe', shown: 8, source: '[rs]k_live_[A-Za-z0-9]{20,200}' },
  { kind: 'HashiCorp Vault', shown: 4, source: 'hvs\\.[\\w-]{90,120}' },
  { kind: 'npm', shown: 4, source: 'npm_[A-Za-z0-9]{36}' },
  { kind: 'private key', shown: 0, source: '-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----' },
]

/** Each format in a group of its own. What goes on before or behind it is another, longer word. */
export const anyFormat = (): RegExp =>
  new RegExp(`(?<![A-Za-z0-9_])(?:${FORMATS.map(({ source }) => `(${source})`).join('|')})(?![A-Za-z0-9_])`, 'g')

/** 22 characters that were drawn, and no words with hyphens between. */
export const isDrawn = (secret: string): boolean =>
  /^sk-[\w-]{22}$/.test(secret) && /\d/.test(secret) && /[A-Z]/.test(secret) && /[a-z]/.test(secret.slice(3))

/** Its beginning, where that says only whose it is, and its end. */
export function masked(secret: string, { shown, kind }: Format): string {
  if (kind === 'private key') return secret
  return `${secret.slice(0, shown)}…${secret.slice(-4)}`
}

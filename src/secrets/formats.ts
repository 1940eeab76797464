/**
 * What keys look like: the prefixes and lengths by which those who issue them, and public scanners (gitleaks' default
 * rules), tell them from other text. What has no mark of its own, such as 32 hex digits, is not looked for: it would find
 * everything.
 */

export interface Format {
  /** Whose. */
  kind: string
  /** What it is, as guards name it. */
  what: string
  /** How much of its beginning says nothing of the secret. */
  shown: number
  /** With which it begins, one of them: what a scan looks for before it looks closer. */
  starts?: readonly string[]
  /** Where it has no beginning of its own: what stands in it, and behind how many characters at most. */
  holds?: { text: string; behind: number }
  source: string
}

/** Longer than the longest of them. */
export const LONGEST = 400

/** In this order: the first that fits says what it is. */
export const FORMATS: readonly Format[] = [
  format('Anthropic', 'ANTHROPIC_KEY', 12, 'sk-ant-', '[a-z]{3,5}\\d{2}-[\\w-]{80,120}'),
  format('OpenAI', 'OPENAI_KEY', 8, 'sk-', '(?:proj|svcacct|admin)-[\\w-]{20,200}'),
  format('OpenAI', 'OPENAI_KEY', 3, 'sk-', '[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}'),
  format('OpenRouter', 'OPENROUTER_KEY', 9, 'sk-or-v1-', '[0-9a-f]{64}'),
  // Tollgate's and LiteLLM's, those that an operator made himself, and others: a gateway knows its own.
  format('sk-', 'OPENAI_KEY', 3, 'sk-', '[\\w-]{8,200}'),
  format('Google', 'GOOGLE_API_KEY', 4, 'AIza', '[\\w-]{35}'),
  format('Google OAuth', 'GOOGLE_TOKEN', 5, 'ya29.', '[\\w-]{30,250}'),
  format('AWS access key', 'AWS_ACCESS_KEY', 4, 'AKIA ASIA', '[A-Z2-7]{16}'),
  format('AWS Bedrock', 'AWS_BEDROCK_KEY', 4, 'ABSK', '[A-Za-z0-9+/]{109,269}={0,2}'),
  {
    kind: 'Azure',
    what: 'AZURE_KEY',
    shown: 0,
    holds: { text: 'JQQJ9', behind: 52 },
    source: '[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9]{18}ACOG[A-Za-z0-9]{4}',
  },
  {
    kind: 'Azure client secret',
    what: 'AZURE_CLIENT_SECRET',
    shown: 0,
    holds: { text: 'Q~', behind: 4 },
    source: '[A-Za-z0-9_~.]{3}\\dQ~[A-Za-z0-9_~.-]{31,34}',
  },
  format('GitHub', 'GITHUB_TOKEN', 4, 'ghp_ gho_ ghu_ ghs_ ghr_', '[A-Za-z0-9]{36,255}'),
  format('GitHub', 'GITHUB_TOKEN', 11, 'github_pat_', '[A-Za-z0-9_]{36,255}'),
  format('GitLab', 'GITLAB_TOKEN', 6, 'glpat-', '[\\w-]{20,100}'),
  format('Slack', 'SLACK_TOKEN', 5, 'xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-', '[A-Za-z0-9-]{20,250}'),
  format('Slack app', 'SLACK_TOKEN', 5, 'xapp-', '\\d-[A-Z0-9]+-\\d+-[a-z0-9]{32,128}'),
  format('Hugging Face', 'HUGGINGFACE_TOKEN', 3, 'hf_', '[A-Za-z]{34}'),
  format('Groq', 'GROQ_KEY', 4, 'gsk_', '[A-Za-z0-9]{52}'),
  format('xAI', 'XAI_KEY', 4, 'xai-', '[A-Za-z0-9]{80}'),
  format('Perplexity', 'PERPLEXITY_KEY', 5, 'pplx-', '[A-Za-z0-9]{48}'),
  format('Replicate', 'REPLICATE_TOKEN', 3, 'r8_', '[A-Za-z0-9]{37}'),
  format('NVIDIA', 'NVIDIA_KEY', 6, 'nvapi-', '[\\w-]{60,80}'),
  format('Stripe', 'STRIPE_KEY', 8, 'rk_live_ sk_live_', '[A-Za-z0-9]{20,200}'),
  format('Stripe webhook', 'STRIPE_KEY', 6, 'whsec_', '[A-Za-z0-9+/]{32,64}={0,2}'),
  format('HashiCorp Vault', 'VAULT_TOKEN', 4, 'hvs.', '[\\w-]{90,120}'),
  format('npm', 'NPM_TOKEN', 4, 'npm_', '[A-Za-z0-9]{36}'),
  format('PyPI', 'PYPI_TOKEN', 5, 'pypi-AgEIcHlwaS5vcmc', '[\\w-]{50,230}'),
  format('SendGrid', 'SENDGRID_KEY', 3, 'SG.', '[\\w-]{22}\\.[\\w-]{43}'),
  format('Twilio', 'TWILIO_KEY', 2, 'SK', '[0-9a-f]{32}'),
  {
    kind: 'Telegram',
    what: 'TELEGRAM_TOKEN',
    shown: 0,
    holds: { text: ':AA', behind: 10 },
    source: '\\d{8,10}:AA[\\w-]{33}',
  },
  format('DigitalOcean', 'DIGITALOCEAN_TOKEN', 7, 'dop_v1_ doo_v1_', '[0-9a-f]{64}'),
  format('Shopify', 'SHOPIFY_TOKEN', 6, 'shpat_ shpca_ shppa_ shpss_', '[0-9a-fA-F]{32}'),
  format('private key', 'PRIVATE_KEY', 0, '-----BEGIN ', '[A-Z ]{0,30}PRIVATE KEY-----'),
]

/** @param starts its beginnings, with spaces between but for that of a private key */
function format(kind: string, what: string, shown: number, starts: string, rest: string): Format {
  const all = starts.startsWith('-----') ? [starts] : starts.split(' ')
  const escaped = all.map((start) => start.replace(/[.]/g, '\\.'))
  const begin = escaped.length === 1 ? escaped[0] : `(?:${escaped.join('|')})`
  return { kind, what, shown, starts: all, source: `${begin}${rest}` }
}

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

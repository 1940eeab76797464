/** Secrets without a mark of their own, by the name beside them: `password = …`, `"api_key": "…"`, `Passwort: …`. */
import { entropy, isVaried } from './entropy.ts'

/** Longer than any of the names below. */
const LONGEST_NAME = 20
export const LONGEST_VALUE = 256

const PASSWORD =
  /(?:pass(?:wor[dt]|wd|phrase|code)?|pwd|kennwort|contraseña|mot de passe|mdp|senha|wachtwoord|hasło|lösenord|пароль|密码|口令|パスワード)s?$/
const KEY =
  /(?:secret|token|api[ _-]?key|apikey|access[ _-]?key|auth[ _-]?key|account[ _-]?key|private[ _-]?key|secret[ _-]?key|signing[ _-]?key|encryption[ _-]?key|client[ _-]?secret|bearer|authorization|credentials?)$/
const PLACEHOLDER =
  /^(?:[<${[%*(]|x{3,}|\.{3}|…|your|my[-_ ]|example|changeme|change[-_]me|replace|insert|todo|none$|null$|true$|false$|undefined$|os\.|process\.|env[.[(]|getenv|redacted|hidden|vault:|file:|aws-sm:|azure-kv:|gcp-sm:|https?:)|your[-_]|[-_]here|_goes_|placeholder|\.\.\.|<[a-z]/i

export interface Named {
  what: string
  start: number
  end: number
  confidence: number
}

/** @param at of a `:` or `=` */
export function namedAt(text: string, at: number): Named | undefined {
  const next = text.charCodeAt(at + 1)
  // `==`, `::`, `://`, and `=` that another has been looked at before.
  if (next === 61 || next === 58 || next === 47) return undefined
  let nameEnd = at
  const nameMost = Math.max(0, at - 4)
  while (nameEnd > nameMost && NEXT_TO.has(text.charCodeAt(nameEnd - 1))) nameEnd--
  if (nameEnd === 0) return undefined
  // Nothing that is looked for ends otherwise: most colons are done with here.
  if (text.charCodeAt(nameEnd - 1) < 128 && !TAILS.has(text.slice(nameEnd - 3, nameEnd).toLowerCase())) return undefined
  const name = text.slice(Math.max(0, nameEnd - LONGEST_NAME), nameEnd).toLowerCase()
  const isPassword = PASSWORD.test(name)
  if (!isPassword && !KEY.test(name)) return undefined

  let start = at + 1
  const startMost = start + 4
  while (start < startMost && BEFORE.has(text.charCodeAt(start))) start++
  const scheme = /^(?:bearer|basic|token) +/i.exec(text.slice(start, start + 12))
  if (scheme) start += scheme[0].length
  const quote = text.charCodeAt(start)
  const quoted = quote === 34 || quote === 39 || quote === 96
  if (quoted) start++
  let end = start
  const most = Math.min(text.length, start + LONGEST_VALUE)
  while (end < most) {
    const code = text.charCodeAt(end)
    if (quoted ? code === quote || code === 10 : code <= 32 || ENDS.has(code)) break
    end++
  }
  while (!quoted && end > start && TRAILING.has(text.charCodeAt(end - 1))) end--
  const value = text.slice(start, end)
  const sure = sureness(value, isPassword, quoted)
  if (sure === 0) return undefined
  const isStorage = /account[ _-]?key$/.test(name) && /^[A-Za-z0-9+/]{86}==$/.test(value)
  return {
    what: isStorage ? 'AZURE_STORAGE_KEY' : isPassword ? 'PASSWORD' : 'API_KEY',
    start,
    end,
    confidence: isStorage ? 0.95 : sure,
  }
}

/** 0: it is a word, a place to put a secret, or code that reads one. */
function sureness(value: string, isPassword: boolean, quoted: boolean): number {
  if (value.length < 8 || PLACEHOLDER.test(value) || value.includes(' ')) return 0
  // `password = config.get(…)`, `token = response["token"]`
  if (!quoted && /[([{]/.test(value)) return 0
  if (isPassword) {
    const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^\w]/].filter((one) => one.test(value)).length
    return classes >= 2 && /[\d\W]/.test(value) && !/^[a-z]+(?:[.-][a-z]+)*$/i.test(value) && entropy(value) >= 2.5
      ? 0.75
      : 0
  }
  return value.length >= 16 && isVaried(value, 3) ? Math.min(0.95, 0.55 + value.length / 100) : 0
}

const codes = (text: string): Set<number> => new Set([...text].map((char) => char.charCodeAt(0)))
/** Between a name and its sign. */
const NEXT_TO = codes(' \t"\'`])*')
/** How the names above end. */
const TAILS = new Set('ord ort sse eña sło swd ase ode pwd mdp nha rds rts ses ret ken key rer ion ial als'.split(' '))
const BEFORE = codes(' \t>=')
const ENDS = codes('"\'`,;)}<&|\\')
const TRAILING = codes('.!?:')

/**
 * The text of a configuration file → the configuration, or every error in it at once. A pure function of the text, the
 * environment and the providers that exist.
 */
import { NOTHING_STORED, type Stored } from '../secrets/store.ts'
import { check, faultOfUrl } from './check.ts'
import { type Config, hasAddress, type KnownProvider } from './config.ts'
import type { Finding } from './explain.ts'
import type { KnownKind } from './guard-terms.ts'
import type { Env } from './interpolate.ts'
import { normalise } from './normalise.ts'
import { type Path, type Problem, showPath } from './problem.ts'
import { resolveModel } from './provider.ts'
import { valueAt } from './prune.ts'
import { type ReadFile, readYaml } from './read.ts'
import type { FileConfig } from './schema.ts'
import { tlsOf } from './tls.ts'
import { validate } from './validate.ts'

export type Loaded =
  | { ok: true; config: Config; warnings: Problem[] }
  | { ok: false; errors: Problem[]; warnings: Problem[] }

/**
 * @param text YAML
 * @param env for `os.environ/NAME`, `${NAME}` and the usual keys of providers
 * @param providers what `litellm_params.model` may begin with
 * @param stored what was found behind references to secrets (`vault:…`)
 * @param kinds what guardrails may be of
 */
export function load(
  text: string,
  env: Env,
  providers: readonly KnownProvider[],
  stored: Stored = NOTHING_STORED,
  kinds: readonly KnownKind[] = [],
): Loaded {
  const whole = withOwnVariables(text, env, stored)
  const read = readYaml(text, (path) => (path[0] === 'environment_variables' ? env : whole), stored)
  const { file, findings, taken, guards } = validate(read, providers, kinds)
  if (file)
    findings.push(
      ...withoutBroken(
        check(file, providers, (path) => valueAt(read.value, path) !== undefined, whole),
        findings,
      ),
    )
  if (file) findings.push(...fromEnvironment(file, providers, whole))
  const problems = findings.filter((finding) => !under(finding.path, read.broken))
  const told = (severity: Finding['severity']) =>
    problems.filter((finding) => finding.severity === severity).map((finding) => problemOf(finding, read))
  const errors = sorted([...read.errors, ...told('error')])
  const warnings = sorted([...read.warnings, ...told('warning')])
  if (errors.length > 0 || !file) return { ok: false, errors, warnings }
  const config = normalise(file, providers, whole, taken, guards)
  const shell = shellOf(read.rawAt(['general_settings', 'master_key']))
  return { ok: true, config: { ...config, ...(shell ? { masterKeyShell: shell } : {}) }, warnings }
}

/** `environment_variables` hold for the rest of the file. They themselves see only the environment. */
function withOwnVariables(text: string, env: Env, stored: Stored): Env {
  const section = valueAt(readYaml(text, () => env, stored).value, ['environment_variables'])
  if (typeof section !== 'object' || section === null || Array.isArray(section)) return env
  const own = Object.entries(section).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
  return { ...env, ...Object.fromEntries(own.map(([name, value]) => [name, String(value)])) }
}

/** A second fault at a place that is wrong already, or is a stand-in for what is, would only confuse. */
function withoutBroken(later: Finding[], earlier: readonly Finding[]): Finding[] {
  const broken = new Set(earlier.filter((f) => f.severity === 'error').map((f) => JSON.stringify(f.path)))
  return later.filter((finding) => !under(finding.path, (path) => broken.has(JSON.stringify(path))))
}

function under(path: Path, broken: (path: Path) => boolean): boolean {
  for (let n = path.length; n > 0; n--) if (broken(path.slice(0, n))) return true
  return false
}

function problemOf(finding: Finding, read: ReadFile): Problem {
  const { path, message, suggestion } = finding
  return { ...read.placeOf(path), path: showPath(path), message, ...(suggestion ? { suggestion } : {}) }
}

const sorted = (problems: Problem[]): Problem[] =>
  problems.toSorted((a, b) => a.line - b.line || a.column - b.column || a.path.localeCompare(b.path))

/** What a provider takes from the environment: a key that is missing or goes elsewhere, an address that is none. */
function fromEnvironment(file: FileConfig, providers: readonly KnownProvider[], env: Env): Finding[] {
  const found: Finding[] = []
  if (file.tollgate.tls && !tlsOf(file.tollgate.tls, env))
    found.push({
      path: ['tollgate', 'tls'],
      severity: 'error',
      message: 'has no certificate: give `cert` and `key`, `acme`, or `self_signed: true`.',
    })
  for (const [i, { litellm_params: params }] of file.model_list.entries()) {
    const resolved = resolveModel(params.model, params.custom_llm_provider, providers)
    if (!resolved.ok || resolved.provider.local) continue
    const at = (key: string): Path => ['model_list', i, 'litellm_params', key]
    const { api_key: keys = [], api_base: bases = [] } = resolved.provider.env ?? {}
    const base = params.api_base === undefined ? bases.find((variable) => env[variable]) : undefined
    const fault = base === undefined ? undefined : faultOfUrl(env[base] ?? '')
    if (fault)
      found.push({ path: at('model'), severity: 'error', message: `the environment variable ${base} ${fault}` })
    const { insteadOfKey = [], env: variables } = resolved.provider
    const isGiven = (setting: string): boolean =>
      (params as Record<string, unknown>)[setting] !== undefined || !!variables?.[setting]?.some((name) => env[name])
    if (params.litellm_credential_name !== undefined) continue
    if (params.api_key !== undefined || keys.length === 0 || insteadOfKey.some(isGiven)) continue
    const name = keys.find((variable) => env[variable])
    if (name === undefined && params.api_base === undefined && !resolved.provider.findsKeys)
      found.push({
        path: at('model'),
        severity: 'warning',
        message: `no key for \`${resolved.prefix}\`: set \`api_key\`, or the environment variable ${keys.join(' or ')}.`,
      })
    if (name !== undefined && params.api_base !== undefined && hasAddress(resolved.provider))
      found.push({
        path: at('api_base'),
        severity: 'warning',
        message: `the key in ${name} is sent to this address. Set \`api_key\` if it should have another.`,
      })
  }
  return found
}

/** The master key as a shell can say it, where nothing of it but `sk-` stands in the file. */
function shellOf(raw: string | undefined): string | undefined {
  if (raw === undefined) return undefined
  if (raw.startsWith('os.environ/')) return `\${${raw.slice('os.environ/'.length).trim()}}`
  return /^(sk-)?\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(raw) ? raw : undefined
}

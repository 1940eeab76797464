/** All budgets of a file, wherever they stand in it, by the scopes that they are for. */
import type { BudgetTerms } from '../core/budget.ts'
import { Refusal } from '../core/refusal.ts'
import { GATEWAY, readScope, SCOPE_KINDS } from '../core/scope.ts'
import { readWindow, termsOf, type WrittenTerms, type WrittenWindow } from '../core/terms.ts'
import type { KnownProvider } from './config.ts'
import type { Finding } from './explain.ts'
import { nearest } from './nearest.ts'
import type { Path } from './problem.ts'
import type { FileConfig } from './schema.ts'

interface Placed {
  scope: string
  path: Path
  terms: WrittenTerms
}

/** A window is a budget with nothing else in it. @throws Refusal where it says two things, or nothing */
function asTerms(window: WrittenWindow, at: string): WrittenTerms {
  readWindow(window, at)
  return {
    max_budget: window.max_budget ?? window.budget_limit,
    budget_duration: window.budget_duration ?? window.time_period,
  }
}

/** The provider's id for one of its names. */
const idOfProvider = (name: string, providers: readonly KnownProvider[]): string | undefined =>
  providers.find(({ id, prefixes }) => id === name || prefixes?.includes(name))?.id

/** @throws Refusal where one bounds nothing or says two things: `check` has told of it before */
function placed(
  file: FileConfig,
  providers: readonly KnownProvider[],
  onFault?: (path: Path, cause: Refusal) => void,
): Placed[] {
  const { litellm_settings: litellm, router_settings: router, tollgate } = file
  const found: Placed[] = []
  const add = (scope: string, path: Path, make: () => WrittenTerms) => {
    try {
      const terms = make()
      termsOf(terms, {}, 0)
      found.push({ scope, path, terms })
    } catch (cause) {
      if (!onFault || !(cause instanceof Refusal)) throw cause
      onFault(path, cause)
    }
  }
  const { max_budget, budget_duration } = litellm
  if (max_budget !== undefined)
    add(GATEWAY, ['litellm_settings', 'max_budget'], () => ({ max_budget, budget_duration }))
  for (const [tag, window] of Object.entries(litellm.tag_budget_config ?? {}))
    add(`tag:${tag}`, ['litellm_settings', 'tag_budget_config', tag], () => asTerms(window, tag))
  for (const [name, window] of Object.entries(router.provider_budget_config ?? {})) {
    const id = idOfProvider(name, providers) ?? name
    add(`provider:${id}`, ['router_settings', 'provider_budget_config', name], () => asTerms(window, name))
  }
  for (const [scope, terms] of Object.entries(tollgate.budgets ?? {})) {
    const { kind, id } = readScope(scope)
    const named = kind === 'provider' ? `provider:${idOfProvider(id, providers) ?? id}` : scope
    add(named, ['tollgate', 'budgets', scope], () => terms)
  }
  return found
}

/** Scope → terms. */
export function budgetsIn(file: FileConfig, providers: readonly KnownProvider[]): Record<string, BudgetTerms> {
  const budgets = placed(file, providers).map(({ scope, terms }): [string, BudgetTerms] => [
    scope,
    termsOf(terms, {}, 0),
  ])
  return Object.fromEntries(budgets)
}

/** The budgets of those who have none of their own; the first that amounts to something holds. */
export function usualBudgets({ litellm_settings: said }: FileConfig): {
  customer?: BudgetTerms[]
  user?: BudgetTerms[]
} {
  const { max_end_user_budget: most, max_end_user_budget_id: id, max_internal_user_budget: ofUser } = said
  const customer = [
    ...(id === undefined ? [] : [{ budgetId: id }]),
    ...(most === undefined ? [] : [termsOf({ max_budget: most }, {}, 0)]),
  ]
  const duration = said.internal_user_budget_duration
  return {
    ...(customer.length > 0 ? { customer } : {}),
    ...(ofUser === undefined ? {} : { user: [termsOf({ max_budget: ofUser, budget_duration: duration }, {}, 0)] }),
  }
}

/** Scopes of which there are several. Keys come and go, and carry their budgets themselves. */
const NAMED: readonly string[] = SCOPE_KINDS.filter((kind) => kind !== 'key' && kind !== GATEWAY)

const MANY =
  'a budget is for one model by its name. For all of a pattern together write `gateway: { model_max_budget: … }`.'

/** What is wrong with them beyond their shapes. @param isModel whether callers can ask for a model of this name */
export function checkBudgets(
  file: FileConfig,
  providers: readonly KnownProvider[],
  isModel: (name: string) => boolean,
): Finding[] {
  const found: Finding[] = []
  const fault = (path: Path, message: string, suggestion?: string) =>
    found.push({ path, message, severity: 'error', ...(suggestion ? { suggestion } : {}) })
  const seen = new Map<string, Path>()
  for (const { scope, path } of placed(file, providers, (path, cause) => fault(path, cause.message))) {
    const first = seen.get(scope)
    if (first) fault(path, `\`${scope}\` has a budget in ${first.join('.')} already. Keep one of them.`)
    else seen.set(scope, path)
    const { kind, id } = readScope(scope)
    if (scope !== GATEWAY && (id === '' || !NAMED.includes(kind))) {
      const near = nearest(scope.replace(/:.*$/s, ''), NAMED)
      fault(
        path,
        `\`${scope}\` is no scope: write \`gateway\`, or one of ${NAMED.join(', ')} with its name (\`team:red\`).${near ? ` Did you mean \`${near}:…\`?` : ''}`,
      )
    } else if (kind === 'provider' && !idOfProvider(id, providers)) {
      const near = nearest(
        id,
        providers.map((provider) => provider.id),
      )
      fault(path, `there is no provider \`${id}\`.${near ? ` Did you mean \`${near}\`?` : ''}`, near)
    } else if (kind === 'model' && !isModel(id))
      fault(path, id.includes('*') ? MANY : `there is no model_name \`${id}\`.`)
  }
  for (const { path, terms } of placed(file, providers, () => undefined))
    for (const model of Object.keys(terms.model_max_budget ?? {}))
      if (!model.includes('*') && !isModel(model))
        fault([...path, 'model_max_budget', model], `there is no model_name \`${model}\`.`)
  const { internal_user_budget_duration: duration, max_internal_user_budget: most } = file.litellm_settings
  if (duration !== undefined && most === undefined)
    fault(
      ['litellm_settings', 'internal_user_budget_duration'],
      'has no `max_internal_user_budget` beside it, so nothing would be bounded.',
    )
  return found
}

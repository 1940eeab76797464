/** The routes of /budget: budgets that many share, in LiteLLM's words and answers. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Template } from '../core/holder.ts'
import type { Key } from '../core/key.ts'
import { Refusal } from '../core/refusal.ts'
import { showTerms, termsOf } from '../core/terms.ts'
import { limits, limitsOf, name, readBody, sharedTerms, showLimits } from './fields.ts'
import type { Register } from './register.ts'

type Json = Record<string, unknown>

export interface TemplateRoutes {
  make(body: Json): Json
  change(body: Json): Json
  info(body: Json): Json[]
  settings(id: string | null): Json[]
  list(): Json[]
  remove(body: Json): Json
}

export const making = z.object({ budget_id: name(256).nullish(), ...sharedTerms, ...limits })
export const changing = z.object({ budget_id: name(256), ...sharedTerms, ...limits })
export const asking = z.object({ budgets: z.array(z.string()).min(1) })
export const removing = z.object({ id: z.string() })

interface House {
  register: Register
  keys(): readonly Key[]
  /** ms since the epoch. */
  now(): number
}

export function templateRoutes({ register, keys, now }: House): TemplateRoutes {
  const need = (id: string, param: string): Template => {
    const template = register.template(id)
    if (template) return template
    throw new Refusal('not_found', `There is no budget '${id.slice(0, 100)}'. GET /budget/list lists them.`, { param })
  }
  const put = (before: Template, said: z.infer<typeof making>): Json => {
    const limits = limitsOf(said, before.limits)
    const { budget_id: _, ...written } = said
    const template = { ...before, ...termsOf(written, before, now()), limits, updatedAt: now() }
    register.checkTerms({}, said)
    register.putTemplate(template)
    return show(template)
  }
  return {
    make(body) {
      const said = readBody(making, body)
      const id = said.budget_id ?? randomUUID()
      if (register.template(id))
        throw new Refusal('conflict', `The budget '${id}' exists already. Change it with /budget/update.`, {
          status: 400,
          param: 'budget_id',
        })
      return put({ id, limits: {}, createdAt: now(), updatedAt: now() }, said)
    },
    change(body) {
      const said = readBody(changing, body)
      return put(need(said.budget_id, 'budget_id'), said)
    },
    info: (body) => readBody(asking, body).budgets.map((id) => show(need(id, 'budgets'))),
    settings(id) {
      const template = id === null ? undefined : need(id, 'budget_id')
      const values: Json = template ? show(template) : {}
      return Object.entries(SETTINGS).map(([field, [type, description]]) => ({
        field_name: field,
        field_type: type,
        field_description: description,
        field_value: values[field] ?? null,
        stored_in_db: template !== undefined,
        field_default_value: null,
      }))
    },
    list: () => register.templates().map(show),
    remove(body) {
      const { id } = readBody(removing, body)
      const template = need(id, 'id')
      const users = [
        ...keys().flatMap((key) => (key.budgetId === id ? [`key '${key.name ?? `sk-...${key.hint}`}'`] : [])),
        ...register.usersOf(id),
      ]
      // Whoever has no budget any more could spend without an end.
      if (users.length > 0)
        throw new Refusal(
          'conflict',
          `The budget '${id}' is still used by ${users.slice(0, 20).join(', ')}${users.length > 20 ? ` and ${users.length - 20} more` : ''}. Give them another one first.`,
          { status: 400, param: 'id' },
        )
      register.removeTemplate(id)
      return show(template)
    },
  }
}

/** The fields of a budget, for whoever shows them to people. */
const SETTINGS: Readonly<Record<string, readonly [type: string, description: string]>> = {
  max_budget: ['Float', 'What may be spent in a budget_duration, in US dollars.'],
  soft_budget: ['Float', 'From which amount on it is warned of, in US dollars.'],
  budget_duration: ['String', 'When it begins anew: 1h, 1d, 7d, 1mo.'],
  budget_limits: ['List', 'Further budgets beside it: [{max_budget, budget_duration}].'],
  model_max_budget: ['Object', 'Budgets of single models: {model: {max_budget, budget_duration}}.'],
  budget_mode: ['String', 'What happens at its end: strict, cap or soft.'],
  max_parallel_requests: ['Integer', 'Requests at one time.'],
  tpm_limit: ['Integer', 'Tokens a minute.'],
  rpm_limit: ['Integer', 'Requests a minute.'],
}

function show(template: Template): Json {
  const { budget_id: _, temp_budget_increase: _more, temp_budget_expiry: _end, ...terms } = showTerms(template)
  return {
    budget_id: template.id,
    ...terms,
    ...showLimits(template.limits),
    created_at: new Date(template.createdAt).toISOString(),
    updated_at: new Date(template.updatedAt).toISOString(),
  }
}

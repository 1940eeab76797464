/** What each route of the management takes in its body: the very schemas that its handler reads with. */
import { z } from 'zod'
import * as alerts from './alert-routes.ts'
import * as cache from './cache-routes.ts'
import * as credentials from './credential-routes.ts'
import * as grants from './grant-routes.ts'
import * as guards from './guard-routes.ts'
import { HOLDER_FORMS } from './holder-kinds.ts'
import { blocking, listing } from './holder-routes.ts'
import { holderBodies } from './holders.ts'
import { generate, regeneration, serviceAccount, update } from './key-fields.ts'
import { checking, named, removal } from './keys.ts'
import { LOGIN_BODIES } from './login-bodies.ts'
import { memberBodies } from './members.ts'
import * as privacy from './privacy.ts'
import * as templates from './templates.ts'

const [team, organization] = [memberBodies('team'), memberBodies('organization')]

const holders = HOLDER_FORMS.flatMap((form) => {
  const { make, update, remove } = holderBodies(form)
  return form.bases.flatMap((base): [string, z.ZodType][] => [
    [`POST ${base}/new`, make],
    [`${form.update} ${base}/update`, update],
    [`${form.remove} ${base}/delete`, remove],
    ...(form.asked ? [] : ([[`POST ${base}/info`, listing]] as [string, z.ZodType][])),
    ...(form.kind === 'team' || form.kind === 'customer' ? ['block', 'unblock'] : []).map(
      (step): [string, z.ZodType] => [`POST ${base}/${step}`, blocking(form)],
    ),
  ])
})

/** `POST /key/generate` → its schema. What is not in it takes no body, or is a model's. */
export const BODIES: Readonly<Record<string, z.ZodType>> = {
  'POST /key/generate': generate,
  'POST /key/service-account/generate': serviceAccount,
  'POST /key/update': update,
  'POST /key/regenerate': regeneration,
  'POST /key/:key/regenerate': regeneration,
  // It asks for nothing: the key itself says which one is meant.
  'POST /key/rotate': z.object({}),
  'POST /key/check': checking,
  'POST /key/delete': removal,
  'POST /key/block': named,
  'POST /key/unblock': named,
  ...Object.fromEntries(holders),
  'POST /team/member_add': team.add,
  'POST /team/member_update': team.update,
  'POST /team/member_delete': team.remove,
  'POST /organization/member_add': organization.add,
  'PATCH /organization/member_update': organization.update,
  'DELETE /organization/member_delete': organization.remove,
  'POST /guardrails/test': guards.testing,
  'POST /guardrails/apply_guardrail': guards.applying,
  'POST /apply_guardrail': guards.applying,
  'POST /alerts/look': alerts.looking,
  'POST /alerts/test': alerts.testing,
  'POST /alerts/silences': alerts.silencing,
  'POST /cache/delete': cache.deletion,
  'POST /cache/flush': cache.flushing,
  'POST /cache/flushall': cache.flushing,
  'POST /privacy/forget': privacy.forgetting,
  'POST /credentials': credentials.making,
  'PATCH /credentials/:name': credentials.changing,
  'POST /budget/new': templates.making,
  'POST /budget/update': templates.changing,
  'POST /budget/info': templates.asking,
  'POST /budget/delete': templates.removing,
  ...LOGIN_BODIES,
  'POST /grant/ask': grants.asking,
  'POST /grant/approve': grants.approval,
  'POST /grant/refuse': grants.decision,
  'POST /grant/revoke': grants.decision,
}

/** As JSON Schema 2020-12, in the words of a request. */
export const bodyOf = (route: string): Record<string, unknown> | undefined => {
  const schema = BODIES[route]
  if (!schema) return undefined
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return json
}

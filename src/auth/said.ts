/** What the configuration says of somebody, as an identity. */
import type { SaidIdentity } from '../config/auth.ts'
import { readRole } from '../core/role.ts'
import type { Identity } from './badges.ts'

type Facts = Omit<Identity, 'way' | 'name'>

/** Later ones win, field by field. */
export function factsOf(...said: readonly (SaidIdentity | undefined)[]): Facts {
  const facts: Facts = {}
  for (const one of said) {
    if (!one) continue
    const { user, team, organization, project, role, models, tags, ...limits } = one
    const fields = {
      user,
      team,
      organization,
      project,
      models,
      tags,
      role: role === undefined ? undefined : readRole(role),
    }
    for (const [field, value] of Object.entries(fields))
      if (value !== undefined) Object.assign(facts, { [field]: value })
    const { rpm_limit: rpm, tpm_limit: tpm, max_parallel_requests: parallel } = limits
    if (rpm !== undefined || tpm !== undefined || parallel !== undefined)
      facts.limits = {
        ...facts.limits,
        ...(rpm === undefined ? {} : { rpm }),
        ...(tpm === undefined ? {} : { tpm }),
        ...(parallel === undefined ? {} : { parallel }),
      }
  }
  return facts
}

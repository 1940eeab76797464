/** What the configuration says, beyond secrets: limits, who is let in, who is trusted. */
import type { Config } from '../../config/config.ts'
import { error, type Finding, note, ok, warn } from './finding.ts'

export function configured(config: Config): Finding[] {
  const found: Finding[] = []
  found.push(
    config.insecure
      ? warn(
          'tls.insecure',
          'tollgate.insecure lets it listen unencrypted on other addresses than the loopback.',
          'Keys and prompts can be read on the network, unless something in front encrypts.',
          'take it out, and set tollgate.tls (docs/tls.md); keep it where a proxy on the same host ends TLS',
        )
      : ok('tls.insecure', 'Beyond the loopback it serves encrypted only.'),
  )
  const { entries, allowed, trusted } = config.auth
  if (entries && !entries.some((entry) => entry.api_key !== undefined))
    found.push(note('auth.ways', 'Keys open nothing here: tollgate.auth has other ways only.'))
  if (trusted.some((range) => /^(0\.0\.0\.0|::)\/0$/.test(range)))
    found.push(
      error(
        'auth.trusted',
        'tollgate.trusted_proxies trusts everybody.',
        'Whoever sends X-Forwarded-For says where he comes from.',
        'name the addresses of your proxies alone',
      ),
    )
  found.push(
    config.admin.requireMfa
      ? ok('mfa.required', 'Whoever logs in needs a second factor.')
      : warn(
          'mfa.required',
          'Whoever logs in with a password needs nothing else.',
          'A password that is guessed, or used elsewhere as well, opens the management.',
          'tollgate.admin: { require_mfa: true } (docs/admin.md)',
        ),
  )
  found.push(
    config.alerts.channels.length > 0
      ? ok('alerts.channels', `Alerts are told on ${config.alerts.channels.map(({ name }) => name).join(', ')}.`)
      : note(
          'alerts.channels',
          'Alerts stand in the log and at GET /alerts alone: nobody is told when a budget ends or a key is guessed at.',
          'Who has to look does not.',
          'tollgate.alerts.channels: [{ type: slack, url: … }] (docs/alerts.md)',
        ),
  )
  found.push(watchedOf(config))
  found.push(guardedOf(config))
  found.push(
    allowed.manage || allowed.all
      ? ok('auth.manage', 'Who manages has to come from a list of addresses.')
      : note(
          'auth.manage',
          'The management can be reached from every address that reaches the gateway.',
          'A stolen master key works from everywhere.',
          'tollgate.allow_from: { manage: [10.0.0.0/8] } (docs/auth.md)',
        ),
  )
  found.push(
    Object.values(config.limits).some((one) => one !== undefined && Object.keys(one as object).length > 0)
      ? ok('limits.set', 'Limits are set for all.')
      : note(
          'limits.set',
          'No limits are set for addresses, classes of routes or the whole gateway.',
          'One caller may take all there is.',
          'tollgate.limits (docs/limits.md), or rpm_limit and max_parallel_requests of keys',
        ),
  )
  found.push(
    config.unpriced === 'allow'
      ? warn(
          'budget.unpriced',
          'Models without a price are served.',
          'What they cost is counted as nothing, so no budget stops them.',
          'tollgate.unpriced: refuse, or a price for each (tollgate prices)',
        )
      : ok('budget.unpriced', 'Models without a price are refused to whoever has a budget.'),
  )
  found.push(
    config.egress.only
      ? ok('egress.only', 'Only listed hosts are connected to.')
      : note(
          'egress.only',
          'Every host that the configuration names may be connected to.',
          undefined,
          'tollgate.egress.only: [api.openai.com] (docs/egress.md)',
        ),
  )
  return found
}

/** Whether what happens can be proved afterwards, against whoever has this machine, too. */
function watchedOf({ audit }: Config): Finding {
  if (!audit.requests)
    return warn(
      'audit.requests',
      'Requests are in no audit (tollgate.audit.requests: false).',
      'Nobody can tell afterwards who asked what, and what it cost.',
      'tollgate.audit: { requests: true } (docs/audit.md)',
    )
  if (audit.anchors.file !== undefined || audit.anchors.webhook !== undefined || audit.syslog !== undefined)
    return ok('audit.requests', 'What happens is in the audit, and some of it is kept elsewhere.')
  return note(
    'audit.anchors',
    'The audit lies on this machine alone.',
    'Whoever has the machine can write all of it anew, and nothing shows it.',
    'tollgate.audit.anchors: { file: … } on another machine, or { webhook: … }, or tollgate.audit.syslog (docs/audit.md)',
  )
}

function guardedOf({ guardrails }: Config): Finding {
  const always = guardrails.filter(({ where }) => where.everywhere)
  if (always.length > 0)
    return ok('guardrails.default', `Every request is looked at by ${always.map(({ name }) => name).join(', ')}.`)
  return note(
    'guardrails.default',
    'No guardrail looks at every request: keys and personal data go to clouds as they were written.',
    'What has left the house does not come back.',
    'guardrails: [{ guardrail_name: secrets, litellm_params: { guardrail: secrets, mode: pre_call, default_on: true, on_flagged: redact } }] (docs/guardrails.md)',
  )
}

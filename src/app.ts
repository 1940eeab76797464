/** The composition root: from a configuration to a gateway that listens. The only file that constructs I/O. */
import { providers as allProviders } from '../providers/index.ts'
import { alertRoutes } from './admin/alert-routes.ts'
import { showBackends } from './admin/backends.ts'
import { cacheRoutes } from './admin/cache-routes.ts'
import { Changes } from './admin/changes.ts'
import { showContent } from './admin/content-routes.ts'
import { credentialRoutes } from './admin/credential-routes.ts'
import { Credentials, withCredentials } from './admin/credentials.ts'
import { grantRoutes } from './admin/grant-routes.ts'
import { Grants } from './admin/grants.ts'
import { guardRoutes } from './admin/guard-routes.ts'
import { holderRoutes } from './admin/holder-routes.ts'
import { Keyring } from './admin/keyring.ts'
import { keyRoutes } from './admin/keys.ts'
import { type Money, moneyOf } from './admin/money.ts'
import { makeOperator } from './admin/operator.ts'
import { Payers } from './admin/payers.ts'
import { privacyRoutes } from './admin/privacy.ts'
import { Reach } from './admin/reach.ts'
import { Register } from './admin/register.ts'
import { reportRoutes } from './admin/reports.ts'
import { startRotations } from './admin/rotations.ts'
import { globalSpend, spendLogs } from './admin/spend.ts'
import { Standings } from './admin/standing.ts'
import { templateRoutes } from './admin/templates.ts'
import { type Alerts, startAlerts, testChannels } from './app/alerts.ts'
import { startAudit, startFacts } from './app/audit.ts'
import { makeCache } from './app/cache.ts'
import { startCheckpointer } from './app/checkpointer.ts'
import { keepContent } from './app/content.ts'
import { openGuards } from './app/guards.ts'
import { crossed, logRequest } from './app/log-lines.ts'
import { theMasterKey } from './app/master-key.ts'
import { takeNoteOfPrices } from './app/prices.ts'
import { groupsOf, longestOperation, snapshotOf } from './app/snapshot.ts'
import { redact } from './audit/redact.ts'
import { Badges } from './auth/badges.ts'
import { Door } from './auth/door.ts'
import { makeLogins, siteOf } from './auth/login/make.ts'
import { RefusedKeys } from './auth/refused-keys.ts'
import type { WayOut } from './auth/way-out.ts'
import { type Config, type KnownProvider, timeoutsFor } from './config/config.ts'
import type { Env } from './config/interpolate.ts'
import { startRenewal } from './config/renewal.ts'
import type { Started, StartOptions, Tested } from './config/start.ts'
import { type Access, EVERYTHING } from './core/access.ts'
import type { Key } from './core/key.ts'
import { AllCounters } from './core/limit.ts'
import { keptPrices, type PriceBook } from './core/price-book.ts'
import type { Principal } from './core/principal.ts'
import type { Extent } from './core/role.ts'
import { GATEWAY } from './core/scope.ts'
import { findAlias } from './core/snapshot.ts'
import { TargetState } from './core/state.ts'
import type { Target } from './core/target.ts'
import { wallAt } from './core/zone.ts'
import type { Kind } from './guardrails/kind.ts'
import { kinds } from './guardrails/kinds/index.ts'
import { tryGuards as runTrial, type Trial, type TrialVerdict } from './guardrails/trial.ts'
import { AccessLog } from './http/access-log.ts'
import { openDoors } from './http/doors.ts'
import type { Side } from './http/permissions.ts'
import { type Offices, routes } from './http/routes.ts'
import { buildApp } from './http/server.ts'
import { Sockets } from './http/sockets.ts'
import { showStatus } from './http/status.ts'
import type { Pair } from './http/tls/pair.ts'
import { LineFile } from './observe/line-file.ts'
import { type Log, makeLog } from './observe/log.ts'
import { checkupOf } from './pipeline/checkup.ts'
import { TokenCounter } from './pipeline/counting/counter.ts'
import { Deadlines } from './pipeline/deadlines.ts'
import { HealthChecks } from './pipeline/health.ts'
import type { Io, RequestLog } from './pipeline/io.ts'
import { Live } from './pipeline/live.ts'
import { sealKeys, startResealing } from './secrets/keep-sealed.ts'
import { rootOf, Sealer } from './secrets/seal.ts'
import { Belongings } from './store/belongings.ts'
import { startChores } from './store/chores.ts'
import { Contents } from './store/contents.ts'
import { forgetIn, formerKeysOf, keysNaming } from './store/forget.ts'
import { GrantStore } from './store/grants.ts'
import { Holders } from './store/holders.ts'
import { Digests, Keys } from './store/keys.ts'
import { Ledger } from './store/ledger.ts'
import { Logins } from './store/logins.ts'
import { OldSecrets } from './store/old-secrets.ts'
import { openStore, type Store } from './store/open.ts'
import { pepper } from './store/pepper.ts'
import { recoverHolds } from './store/recover.ts'
import { requestsOn } from './store/reports.ts'
import { Responses } from './store/responses.ts'
import { rezone } from './store/rezone.ts'
import { SealedFact } from './store/sealed-fact.ts'
import { SessionStore } from './store/sessions.ts'
import { systemTiming } from './store/timing.ts'
import { Backends } from './upstream/backends.ts'
import { Catalog } from './upstream/catalog.ts'
import { Beginnings } from './upstream/goes-on.ts'
import { fetchImage } from './upstream/images.ts'
import { knock } from './upstream/knock.ts'
import { startPrewarming } from './upstream/prewarm.ts'
import { priceBook } from './upstream/price-book.ts'
import { send } from './upstream/send.ts'
import { waysOut } from './upstream/trust.ts'

/** How long fetching one image may take. */
const IMAGE_TIMEOUT_MS = 10_000

/** Every provider there is, for the checks of a configuration and for discovery. */
export const providers = (): readonly KnownProvider[] => allProviders

/** Every kind of guard there is, for the checks of a configuration. */
export const guardKinds = (): readonly Kind[] => kinds

/** What its guardrails say of a text, without a gateway. @throws Error naming one that can't be made */
export function tryGuards(config: Config, env: Env, trial: Trial): Promise<TrialVerdict[]> {
  const ways = waysOut(config.egress, env, () => Date.now())
  const { guards } = openGuards(config.guardrails, {
    ...{ now: () => Date.now(), random: Math.random, io: undefined, kept: undefined },
    fetch: (url, init) => ways.of(new URL(url).origin, true).fetch(url, init),
  })
  return runTrial(guards, trial)
}

/** What the models of a configuration cost, now and on other days. */
export function prices(config: Config, env: Env): PriceBook {
  const catalog = catalogOf(config, env)
  return priceBook(config.models, catalog, snapshotOf(config, catalog))
}

/** Sends a test to each channel of alerts, or to the one that is named. */
export const testAlerts = (config: Config, env: Env, channel?: string): Promise<Tested[]> =>
  testChannels(
    config.alerts.channels,
    waysOut(config.egress, env, () => Date.now()),
    channel,
  )

const catalogOf = (config: Config, env: Env, ways = waysOut(config.egress, env, () => Date.now())): Catalog =>
  new Catalog(config.models, (model, local) => timeoutsFor(config, model, local), env, ways)

/** Starts a gateway. @throws Error with a sentence for the operator; nothing is left running then */
export async function start(options: StartOptions): Promise<Started> {
  const { config, dataDir } = options
  setEnvironment(config)
  const log = makeLog(options.log)
  const store = openStore(dataDir)
  try {
    return await open(options, store, log)
  } catch (cause) {
    store.close()
    throw cause
  }
}

function setEnvironment({ environment }: Config): void {
  for (const [name, value] of Object.entries(environment)) process.env[name] = value.reveal()
}

async function open(
  { config, port, host, dataDir, masterKey, warnings, renewal }: StartOptions,
  store: Store,
  log: Log,
): Promise<Started> {
  const now = () => Date.now()
  const tell =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, facts: Readonly<Record<string, unknown>>): void =>
      log[level](message, facts)
  const [info, warn, error] = [tell('info'), tell('warn'), tell('error')]
  const rezoned = rezone(store, config.timezone)
  if (rezoned !== undefined)
    log.warn('The time zone has changed: the days of budgets and reports were added up anew from the charges.', {
      from: rezoned,
      to: config.timezone,
    })
  const recovered = recoverHolds(store, now(), config.timezone)
  if (recovered > 0)
    log.warn('The last run did not end cleanly: attempts whose end nobody saw were charged their prompt.', {
      attempts: recovered,
    })
  for (const warning of warnings) log.warn(warning.message)

  const root = pepper(dataDir)
  const digests = new Digests(root)
  const seals = sealKeys(config.sealKey, config.sealKeysBefore, root)
  const responses = new Responses(store, new Sealer(seals, 'responses'), config.keepResponses, now)
  const cache = makeCache(config.cache, { store, seals, root, timezone: config.timezone, now, warn })
  const changes = new Changes()
  const shelf = new SealedFact(store, new Sealer(seals, 'credentials'), 'credentials')
  const credentials = new Credentials(shelf, config.credentials, changes.tell)
  const master = theMasterKey(store, digests, masterKey)
  const ring = new Keyring(
    new Keys(store),
    new OldSecrets(store),
    digests,
    now,
    () => master.digest,
    () => {
      ledger.reconsider()
      live.changed()
    },
    changes.tell,
  )
  const ways = waysOut(config.egress, process.env, now)
  for (const { alias, credential } of config.models)
    if (credential !== undefined && !credentials.get(credential))
      log.warn('A model names a credential that nobody has entered yet: POST /credentials.', {
        model: alias,
        credential,
      })
  const catalog = catalogOf({ ...config, models: withCredentials(config.models, credentials) }, process.env, ways)
  const snapshot = snapshotOf(config, catalog)
  const settings = {
    zone: config.timezone,
    mode: config.budgetMode,
    warnAt: config.warnAt,
    longestMs: longestOperation(config),
  }
  let alerts: Alerts | undefined
  const ledger = new Ledger(store, systemTiming(now), settings, {
    onError: (cause) => {
      log.error('The ledger could not be written; it will be tried again.', { told: String(cause) })
      alerts?.writeFailed(String(cause))
    },
    onCrossed: (account, mark) => {
      log.warn('A budget has come to a mark.', crossed(account, mark))
      alerts?.crossed(account)
    },
  })
  const hasModel = (name: string): boolean => !name.includes('*') && findAlias(snapshot, name)?.name === name
  const configured = { scopes: config.budgets, others: config.usualBudgets }
  const register = new Register(new Holders(store), configured, hasModel, changes.tell)
  const payers = new Payers(
    register,
    groupsOf(config),
    (id) => ring.get(id) ?? badges.get(id),
    () => ledger.reconsider(),
  )
  const standings = new Standings(register)
  const badges = new Badges((userId) => standings.ofUser(userId))
  register.onChange(() => badges.forget())
  const payerOf = (key: Key) => payers.of(key)
  const reachOf = (who: Principal, extent: Extent) => new Reach(who, extent, { register, standings, payerOf })
  for (const id of register.missing())
    log.warn('A budget that the configuration names does not exist: make it with /budget/new.', { budget_id: id })
  const grants = new Grants(new GrantStore(store), now, changes.tell)
  const money = (scope: string): Money =>
    moneyOf(ledger.accounts(scope, payers.budgets(scope)), ledger.total(scope).cost)
  const counter = new TokenCounter()
  const states = new Map<string, TargetState>()
  const counters = new AllCounters()

  const state = (target: Target): TargetState => getOr(states, target.id, () => new TargetState())

  const sockets = new Sockets()
  const deskSockets = config.admin.listen && new Sockets(true)
  const beginnings = new Beginnings(now)
  const refused = new RefusedKeys(now, warn)
  for (const warning of config.sso.warnings) log.warn(warning)
  const wayOut: WayOut = (url, named, init) => ways.of(new URL(url).origin, named).fetch(url, init)
  const door = new Door({
    auth: { ...config.auth, allowed: { ...config.auth.allowed, admin: config.admin.allowed } },
    keyHeader: config.keyHeader,
    badges,
    recognise: (secret) => {
      const digest = digests.of(secret)
      return digests.same(digest, master.digest) ? 'master' : ring.recogniseDigest(digest)
    },
    principalOf: (key) => standings.of(key),
    keyOf: (id) => ring.get(id),
    digestOf: (secret) => digests.of(secret),
    formerOf: (digest) => ring.formerOf(digest),
    stands: (key) => ring.stands(key),
    refused,
    environment: config.isFor,
    hasTeam: (id) => register.holder('team', id) !== undefined,
    peerOf: (request) => (deskSockets?.has(request) ? deskSockets : sockets).peerOf(request),
    session: (request, headers, errand) => desk.login.verdict(request, headers, errand),
    tell: changes.tell,
    wayOut,
    now,
    warn,
    failedFrom: (address) => alerts?.failedAuth(address),
  })
  /** Told before anybody listens. */
  const missing: string[] = []
  const audit = startAudit({
    ...{ store, root, seals, wayOut, now, info, warn, error },
    missing: (told) => (alerts ? alerts.auditGap(told) : missing.push(told)),
    ...{ config: config.audit, zone: config.timezone, ca: config.egress.ca },
  })
  changes.open((act) => audit.admin.write(act))
  changes.tell({ table: 'config', id: 'start', action: 'started', after: startFacts(config) })
  const contents = new Contents(store, new Sealer(seals, 'contents'))
  const content = keepContent(config, {
    ...{ contents, now, warn },
    metadataOf: (kind, id) => register.holder(kind, id)?.metadata,
  })
  const accessFile = config.accessLog === undefined ? undefined : new LineFile(config.accessLog, { warn })
  const accessLog =
    accessFile &&
    new AccessLog({ now, ipOf: (request) => door.addressOf(request), write: (line) => accessFile.write(line) })
  /** Since the start. */
  let requests = 0
  /** Whoever watches requests: told of each one, at its end. None of them may throw, or take its time. */
  const observers: ((line: RequestLog) => void)[] = [
    (line) => logRequest(log, line),
    (line) => alerts?.see(line),
    ...(config.audit.requests ? [(line: RequestLog) => audit.requests.see(line)] : []),
    ...(accessLog ? [(line: RequestLog) => accessLog.see(line)] : []),
  ]
  let site = ''
  const [logins, loginSeal] = [new Logins(store), new Sealer(seals, 'logins')]
  const desk = makeLogins({
    ...{ badges, now, guard: door.guard, admin: config.admin },
    ...{ shelf: logins, sessionShelf: new SessionStore(store) },
    seals: { kept: loginSeal, lent: new Sealer(seals, 'tickets') },
    digestOf: (text) => digests.of(text),
    ...{ register, providers: config.sso.providers, wayOut },
    user: (id) => register.holder('user', id),
    users: () => register.holders('user'),
    roleOf: (id) => standings.ofUser(id).role,
    siteUrl: () => config.admin.url ?? site,
    addressOf: (request) => door.addressOf(request),
    tell: changes.tell,
    info,
    warn,
  })
  register.onChange(() => desk.login.tidy())
  if (config.admin.login) makeOperator(register, config.admin.login.user, now())
  const backends = new Backends(catalog.links, config.backends, process.env, {
    now,
    stateOf: state,
    info,
    warn,
  })

  const live = new Live({ still: (who) => door.still(who), payers })
  register.onChange(() => live.changed())

  const screens = openGuards(config.guardrails, {
    ...{ now, random: Math.random, io: () => io },
    fetch: (url, init) => wayOut(url, true, init),
    kept: { store, seals, root, redis: config.cache.redis, warn },
  })
  const { guards } = screens
  const io: Io = {
    guards,
    live,
    now,
    random: Math.random,
    snapshot: () => snapshot,
    link: (target) => catalog.link(target),
    backends,
    ledger,
    payers,
    grants,
    counters: (scope) => counters.of(scope, now()),
    requestsOn: (scope, day) => requestsOn(store, scope, day),
    ipOf: (request) => door.addressOf(request),
    state,
    view: { stateOf: state },
    admit: (request, headers, errand) => {
      audit.admit()
      return door.admit(request, headers, errand)
    },
    still: (who) => door.still(who),
    deadlines: new Deadlines(now),
    goesOn: (link) => beginnings.takes(link),
    responses,
    cache: cache.door,
    belongings: new Belongings(store),
    fetchImage: (url, signal) => fetchImage(url, { ...config.images, timeoutMs: IMAGE_TIMEOUT_MS }, signal),
    count: (job) => counter.count(job),
    send,
    knock,
    content,
    log: (line) => {
      for (const see of observers) see(line)
    },
    warn,
    settings: {
      bodyLimit: config.bodyLimit,
      bodyTimeoutMs: config.bodyTimeout,
      heartbeatMs: config.heartbeat,
    },
  }
  let certificate: () => Pair | undefined = () => undefined
  alerts = startAlerts(config.alerts, {
    ...{ store, dataDir, ring, now, warn, stateOf: state },
    links: () => catalog.links,
    refresh: (targets, at) => backends.refresh(targets, at),
    certificate: () => certificate(),
    hanging: (ms, at) => live.hanging(ms, at),
    url: () => config.admin.url ?? (site === '' ? undefined : site),
    fetch: (url, init) => wayOut(url, true, init),
  })
  for (const told of missing) alerts.auditGap(told)
  const alertDesk = alerts.desk
  const access = ({ key }: Principal): Access =>
    key
      ? {
          lists: payers.lists(payers.of(key), key),
          renames: payers.renames(payers.of(key), key),
          grants: grants.of(key.id),
          now: now(),
        }
      : EVERYTHING
  const house = {
    ...{ register, keys: () => ring.all(), money, hasModel, now, payerOf },
    hasProvider: (id: string) => catalog.links.some(({ target }) => target.provider === id),
  }
  const keys = keyRoutes(ring, {
    ...house,
    rules: config.newKeys,
    environment: config.isFor,
    removed: (key) => grants.forget(key.id),
    warn,
  })
  const health = new HealthChecks(
    io,
    catalog.links.map((link, i) => checkupOf(link, config.models[i]?.info ?? {}, config.models[i]?.prefix ?? '')),
    config.health,
  )
  let draining = false
  const offices: Offices = {
    health,
    snapshot: () => snapshot,
    link: io.link,
    models: () => config.models,
    links: () => catalog.links,
    now,
    access,
    keys,
    refusedKeys: refused,
    ipOf: io.ipOf,
    holders: holderRoutes({ ...house, keyRoutes: keys }),
    budgets: templateRoutes(house),
    credentials: credentialRoutes(credentials),
    guards: guardRoutes({
      terms: config.guardrails,
      run: (trial) => runTrial(guards, trial),
      report: () => guards.report.lines,
    }),
    alerts: alertRoutes(alertDesk, now),
    cache: cacheRoutes({ ...cache, isOn: config.cache.rules !== undefined, timezone: config.timezone, now }),
    grants: grantRoutes(grants, { snapshot: () => snapshot, access, keyOf: (id) => ring.get(id), now }),
    responses,
    sockets,
    logins: desk,
    spendLogs: (reach, query) => {
      ledger.flush()
      return spendLogs(store, ring, config.timezone, reach, query)
    },
    reports: reportRoutes(store, ring, config.timezone, now, () => ledger.flush()),
    audit: audit.routes,
    privacy: privacyRoutes({
      ...{ register, keys: () => ring.all(), tell: changes.tell, rewrite: (clean) => changes.rewrite(clean) },
      removeKeys: (ids) => {
        if (ids.length > 0) keys.removeAll(ids)
      },
      formerKeysOf: (id) => formerKeysOf(store, id),
      forgetIn: (person) => {
        ledger.flush()
        audit.log.flush()
        return forgetIn(store, person)
      },
      forgetNames: (scope) => ledger.forget(scope),
      forgetNumber: (kind, id) => audit.log.forget(kind, id),
      forgetAlerts: (subjects, clean) => alertDesk.forget(subjects, clean),
      keysNaming: (customer) => keysNaming(store, customer),
      forgetAnswers: (tenants) => cache.forget(tenants),
      redact: (names, clean) => redact(audit.log, audit.shelf, names, clean, now()),
    }),
    content: (who, id) =>
      showContent(
        { get: (one) => contents.get(one), user: (one) => register.holder('user', one), tell: changes.tell },
        who,
        id,
      ),
    status: (request) =>
      showStatus(request, (deskSockets?.has(request) ? deskSockets : sockets).peerOf(request).address, {
        active: server.pending() + sockets.open,
        requests,
      }),
    backends: () => showBackends(backends.all.values(), now()),
    globalSpend: () => globalSpend(money(GATEWAY), ledger.total(GATEWAY), ledger.open()),
    ready: () => {
      const ready = !draining && ledger.unwritten < 10_000
      return {
        ready,
        facts: { status: ready ? 'connected' : draining ? 'stopping' : 'ledger behind', db: 'connected' },
      }
    },
  }
  const { tls, insecure, heartbeat } = config
  const all = routes(offices)
  const admitAddress = (request: Request) => door.admitAddress(request)
  const appFor = (side: Side, of: Sockets) => {
    const app = buildApp({ io, reachOf, admitAddress, changes }, all, () => draining, of, side)
    const counted = {
      fetch: (request: Request) => {
        requests++
        return app.fetch(request)
      },
    }
    return accessLog ? accessLog.around(counted) : counted
  }
  const server = await openDoors({
    ...{ port, host, tls, insecure, heartbeat, dataDir, sockets, now },
    app: appFor(deskSockets ? 'callers' : 'both', sockets),
    desk: config.admin.listen &&
      deskSockets && { ...config.admin.listen, app: appFor('desk', deskSockets), sockets: deskSockets },
    info,
    warn,
  })
  site = siteOf(server.deskUrl ?? server.url)
  certificate = server.certificate
  takeNoteOfPrices(dataDir, keptPrices(priceBook(config.models, catalog, snapshot), now()), log)
  const prewarming = startPrewarming(config.prewarm, catalog.links, {
    now,
    wall: (at) => wallAt(config.timezone, at),
    info,
    warn,
  })
  const resealing = startResealing(
    [
      () => responses.reseal(),
      () => shelf.reseal(),
      () => logins.reseal(loginSeal),
      audit.reseal,
      () => contents.reseal(),
    ],
    {
      info,
      error,
    },
  )
  const renewing =
    renewal &&
    startRenewal(renewal, config, {
      changed: () => {
        if (masterKey) master.digest = digests.of(masterKey.reveal())
        if (config.sealKey) seals.take(rootOf(config.sealKey.reveal()))
        resealing.again()
        setEnvironment(config)
      },
      info,
      warn,
    })
  const checkpointer = startCheckpointer(store.path)
  const rotations = startRotations({
    keys: () => ring.all(),
    now,
    warn,
  })
  const chores = startChores(store, ledger, config, now, { error, leaked: (request) => alerts?.leaked(request) })

  return {
    url: server.url,
    adminUrl: server.deskUrl,
    madeMasterKey: master.made,
    reopen: () => {
      audit.reopen()
      accessFile?.flush()
      accessFile?.reopen()
    },
    stop: async () => {
      draining = true
      const deadline = now() + config.shutdownGrace
      while (server.pending() > 0 && now() < deadline) await Bun.sleep(20)
      await server.stop(true)
      health.stop()
      backends.stop()
      prewarming.stop()
      renewing?.stop()
      resealing.stop()
      // What the cut streams cost is booked on their way out, counted where nobody reported it.
      await Bun.sleep(20)
      await counter.stop()
      chores.stop()
      rotations.stop()
      await checkpointer.stop()
      await alertDesk.stop()
      await cache.close()
      await screens.close()
      content.stop()
      await audit.stop()
      accessFile?.close()
      ledger.flush()
      store.close()
      log.flush()
    },
  }
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

/**
 * The tables. Money is integer nano-dollars, times are integer ms since the epoch, booleans are 0 and 1.
 * `holds` and `charges` are keyed by (operation, attempt), which makes a second booking of one attempt impossible, and
 * are ordered by time, since an operation's number begins with its millisecond: no other index is needed on the way of
 * a request. `charges`, `spend` and `rollups` are WITHOUT ROWID (written into the migration by hand: drizzle-kit has no word for it).
 */
import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

/** Facts about this database: the master key's digest, when it was made. */
export const facts = sqliteTable('facts', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
})

export const keys = sqliteTable(
  'keys',
  {
    id: text('id').primaryKey(),
    digest: text('digest').notNull(),
    alias: text('alias'),
    hint: text('hint').notNull(),
    /** JSON list of aliases and patterns. */
    models: text('models').notNull(),
    maxBudget: integer('max_budget'),
    budgetDuration: text('budget_duration'),
    rpmLimit: integer('rpm_limit'),
    tpmLimit: integer('tpm_limit'),
    maxParallelRequests: integer('max_parallel_requests'),
    expiresAt: integer('expires_at'),
    blocked: integer('blocked').notNull().default(0),
    teamId: text('team_id'),
    userId: text('user_id'),
    organizationId: text('organization_id'),
    projectId: text('project_id'),
    /** JSON list. */
    tags: text('tags').notNull().default('[]'),
    /** JSON of core/budget.ts BudgetTerms, and of the prices that only it has. */
    terms: text('terms').notNull().default('{}'),
    /** JSON object of the operator's own. */
    metadata: text('metadata').notNull().default('{}'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [uniqueIndex('keys_digest').on(t.digest), uniqueIndex('keys_alias').on(t.alias)],
)

/** Secrets of keys that were deleted, and those that were replaced (src/store/old-secrets.ts). */
export const oldSecrets = sqliteTable('old_secrets', {
  digest: text('digest').primaryKey(),
  keyId: text('key_id').notNull(),
  alias: text('alias'),
  hint: text('hint').notNull(),
  teamId: text('team_id'),
  userId: text('user_id'),
  /** `deleted`, `replaced`. */
  reason: text('reason').notNull(),
  serial: integer('serial').notNull(),
  until: integer('until').notNull(),
  at: integer('at').notNull(),
})

/** Whoever has a budget and is no key (core/holder.ts): organisations, teams, projects, users, customers, tags, … */
export const holders = sqliteTable(
  'holders',
  {
    kind: text('kind').notNull(),
    id: text('id').notNull(),
    name: text('name'),
    organizationId: text('organization_id'),
    teamId: text('team_id'),
    /** Of a user. */
    role: text('role'),
    /** JSON list of aliases and patterns. */
    models: text('models').notNull().default('[]'),
    /** JSON of core/key.ts Limits. */
    limits: text('limits').notNull().default('{}'),
    /** JSON of core/budget.ts BudgetTerms. */
    terms: text('terms').notNull().default('{}'),
    blocked: integer('blocked').notNull().default(0),
    metadata: text('metadata').notNull().default('{}'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.id] })],
)

/** Users in teams and organisations. */
export const members = sqliteTable(
  'members',
  {
    kind: text('kind').notNull(),
    id: text('id').notNull(),
    userId: text('user_id').notNull(),
    role: text('role').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.kind, t.id, t.userId] })],
)

/** Budgets that many may share. */
export const templates = sqliteTable('templates', {
  id: text('id').primaryKey(),
  terms: text('terms').notNull(),
  limits: text('limits').notNull().default('{}'),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

/** Leave to use a model that asks for it: asked for, given or refused, and over at a time. */
export const grants = sqliteTable(
  'grants',
  {
    id: text('id').primaryKey(),
    keyId: text('key_id').notNull(),
    alias: text('alias').notNull(),
    /** `asked`, `given`, `refused`, `ended`. */
    state: text('state').notNull(),
    reason: text('reason'),
    /** For how long it was asked, as it was written. */
    duration: text('duration'),
    askedAt: integer('asked_at').notNull(),
    decidedAt: integer('decided_at'),
    /** Who decided: `master` or a key's id. */
    decidedBy: text('decided_by'),
    expiresAt: integer('expires_at'),
  },
  (t) => [index('grants_key').on(t.keyId, t.alias)],
)

/** What was done to grants, by whom: written once, never changed. */
export const grantEvents = sqliteTable('grant_events', {
  id: integer('id').primaryKey(),
  grantId: text('grant_id').notNull(),
  at: integer('at').notNull(),
  actor: text('actor').notNull(),
  /** `asked`, `given`, `refused`, `ended`. */
  action: text('action').notNull(),
  /** JSON of what it meant: reason, expiry. */
  facts: text('facts').notNull(),
})

/** A target as it was when something was charged to it. Charges name it by number, so that a row stays small. */
export const targets = sqliteTable(
  'targets',
  {
    id: integer('id').primaryKey(),
    name: text('name').notNull(),
    alias: text('alias').notNull(),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
  },
  (t) => [uniqueIndex('targets_unique').on(t.name, t.alias, t.provider, t.model)],
)

/** A price as it was when something was charged with it. */
export const prices = sqliteTable(
  'prices',
  {
    id: integer('id').primaryKey(),
    /** JSON of core/price.ts Price. */
    price: text('price').notNull(),
  },
  (t) => [uniqueIndex('prices_unique').on(t.price)],
)

/** Who paid: all scopes of a charge but those of its target (core/scope.ts Payer). Charges name it by number. */
export const payers = sqliteTable(
  'payers',
  {
    id: integer('id').primaryKey(),
    /** JSON of the payer, by which it is found again. */
    payer: text('payer').notNull(),
    key: text('key'),
    user: text('user'),
    team: text('team'),
    organization: text('organization'),
    project: text('project'),
    customer: text('customer'),
    /** JSON list. */
    tags: text('tags').notNull(),
  },
  (t) => [uniqueIndex('payers_unique').on(t.payer)],
)

/** Words that stand in many rows (keys, outcomes, routes): a charge holds their numbers, so that a row stays small. */
export const words = sqliteTable(
  'words',
  {
    id: integer('id').primaryKey(),
    word: text('word').notNull(),
  },
  (t) => [uniqueIndex('words_unique').on(t.word)],
)

/**
 * Money set aside for attempts: one row holds all holds of a transaction. A hold that has its charge is over; rows are
 * swept away together, since taking each hold out by itself would cost as much as writing it. Holds without a charge
 * at start are a crash's.
 */
export const holds = sqliteTable('holds', {
  id: integer('id').primaryKey(),
  /** JSON of store/hold-text.ts: read only after a crash. */
  facts: text('facts').notNull(),
})

/** One row an attempt, written once, when it has ended. */
export const charges = sqliteTable(
  'charges',
  {
    operation: integer('operation').notNull(),
    attempt: integer('attempt').notNull(),
    startedAt: integer('started_at').notNull(),
    durationMs: integer('duration_ms').notNull(),
    /** ms from the start of the attempt to its first content; null where none came. */
    firstMs: integer('first_ms'),
    payer: integer('payer').notNull(),
    target: integer('target').notNull(),
    price: integer('price').notNull(),
    /** Numbers in words: the route's kind; `ok`, `aborted`, `interrupted` or the kind of the failure; where usage is from. */
    call: integer('call').notNull(),
    outcome: integer('outcome').notNull(),
    status: integer('status').notNull(),
    input: integer('input').notNull(),
    cacheRead: integer('cache_read').notNull(),
    cacheWrite: integer('cache_write').notNull(),
    cacheWriteHour: integer('cache_write_hour').notNull(),
    audioInput: integer('audio_input').notNull(),
    output: integer('output').notNull(),
    reasoning: integer('reasoning').notNull(),
    audioOutput: integer('audio_output').notNull(),
    images: integer('images').notNull(),
    mediaMs: integer('media_ms').notNull(),
    gpuMs: integer('gpu_ms').notNull(),
    characters: integer('characters').notNull(),
    searches: integer('searches').notNull(),
    source: integer('source').notNull(),
    cost: integer('cost').notNull(),
    imageInput: integer('image_input').notNull().default(0),
    audioRead: integer('audio_read').notNull().default(0),
    imageRead: integer('image_read').notNull().default(0),
    imageOutput: integer('image_output').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.operation, t.attempt] })],
)

/**
 * What a scope has spent: since the beginning (budget 0), and in the newest window of each budget that is shorter than a
 * day. Longer windows are sums of `rollups`. Moves in the transaction of its charges.
 */
export const spend = sqliteTable(
  'spend',
  {
    /** Number of `team:red` in words. */
    scope: integer('scope').notNull(),
    /** Number of core/budget.ts budgetName in words. */
    budget: integer('budget').notNull(),
    windowStart: integer('window_start').notNull(),
    cost: integer('cost').notNull(),
    requests: integer('requests').notNull(),
    tokens: integer('tokens').notNull(),
    /** Of a window: how many requests the scope had had altogether when it last moved. Where it has had more since, the window has missed some. */
    seen: integer('seen').notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.budget] })],
)

/** What a scope spent on a target in a day of the gateway's time zone. Moves in the transaction of its charges, and outlives them. */
export const rollups = sqliteTable(
  'rollups',
  {
    /** Number of `team:red` in words. */
    scope: integer('scope').notNull(),
    /** Days from 1970-01-01 to the local date (core/zone.ts). */
    day: integer('day').notNull(),
    target: integer('target').notNull(),
    cost: integer('cost').notNull(),
    /** Attempts that were charged, and those of them that failed. */
    requests: integer('requests').notNull(),
    failed: integer('failed').notNull(),
    input: integer('input').notNull(),
    cacheRead: integer('cache_read').notNull(),
    cacheWrite: integer('cache_write').notNull(),
    output: integer('output').notNull(),
    reasoning: integer('reasoning').notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.day, t.target] })],
)

/** The same by who paid, so that what one scope spent can be parted by another (a team's keys). */
export const payerRollups = sqliteTable(
  'payer_rollups',
  {
    payer: integer('payer').notNull(),
    day: integer('day').notNull(),
    target: integer('target').notNull(),
    cost: integer('cost').notNull(),
    requests: integer('requests').notNull(),
    failed: integer('failed').notNull(),
    input: integer('input').notNull(),
    cacheRead: integer('cache_read').notNull(),
    cacheWrite: integer('cache_write').notNull(),
    output: integer('output').notNull(),
    reasoning: integer('reasoning').notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.payer, t.target] })],
)

/** What callers made at providers (files, batches): whose it is, and at which target it lies. */
export const belongings = sqliteTable(
  'belongings',
  {
    /** `key:<id>` or `master`: nobody else sees it. */
    owner: text('owner').notNull(),
    /** `file` or `batch`. */
    kind: text('kind').notNull(),
    /** The provider's own. */
    id: text('id').notNull(),
    /** Id of the target. */
    target: text('target').notNull(),
    /** The model it was made for, in the caller's words; null where none was named. */
    alias: text('alias'),
    /** JSON: the provider's object as it was last seen. No content. */
    facts: text('facts').notNull(),
    createdAt: integer('created_at').notNull(),
    /** A batch: its end was seen and charged. */
    settled: integer('settled').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.owner, t.kind, t.id] }), index('belongings_list').on(t.owner, t.kind, t.createdAt)],
)

/** Responses that a caller may refer to by id (`previous_response_id`). Content, so it is sealed and does not stay. */
export const responses = sqliteTable(
  'responses',
  {
    id: text('id').primaryKey(),
    /** `key:<id>` or `master`: nobody else sees it. */
    owner: text('owner').notNull(),
    expiresAt: integer('expires_at').notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
  },
  (t) => [index('responses_expiry').on(t.expiresAt)],
)

/** How a user logs in by himself. A row is there once he has one of these. */
export const logins = sqliteTable('logins', {
  userId: text('user_id').primaryKey(),
  /** argon2id, in PHC's form; null: he has none. */
  password: text('password'),
  /** The secret of his authenticator app, sealed; null: none. */
  totp: blob('totp', { mode: 'buffer' }),
  /** The last step of 30 s whose code was used: none before it is taken again. */
  totpStep: integer('totp_step').notNull().default(0),
  /** JSON list of the digests of recovery codes that are left. */
  recovery: text('recovery').notNull().default('[]'),
  /** A number that is no user's own: what a passkey knows him by. */
  handle: text('handle').notNull(),
  updatedAt: integer('updated_at').notNull(),
})

export const passkeys = sqliteTable(
  'passkeys',
  {
    /** The credential's id, base64url. */
    id: text('id').primaryKey(),
    userId: text('user_id').notNull(),
    /** COSE. */
    publicKey: blob('public_key', { mode: 'buffer' }).notNull(),
    counter: integer('counter').notNull(),
    name: text('name').notNull(),
    /** JSON list. */
    transports: text('transports').notNull().default('[]'),
    createdAt: integer('created_at').notNull(),
    usedAt: integer('used_at'),
  },
  (t) => [index('passkeys_user').on(t.userId)],
)

/** Who is logged in. */
export const sessions = sqliteTable('sessions', {
  /** Of the cookie's value, which is nowhere. */
  digest: text('digest').primaryKey(),
  /** To speak of it. */
  id: text('id').notNull(),
  userId: text('user_id').notNull(),
  /** `password`, `passkey`, `sso:<id>`. */
  way: text('way').notNull(),
  /** 1: a second factor was shown. */
  mfa: integer('mfa').notNull(),
  createdAt: integer('created_at').notNull(),
  /** When he last showed something: what is changed in his login asks for it. */
  provedAt: integer('proved_at').notNull(),
  seenAt: integer('seen_at').notNull(),
  address: text('address'),
  agent: text('agent'),
})

/** Links by which somebody sets his first password, or a new one. */
export const invitations = sqliteTable('invitations', {
  /** Of what stands in the link. */
  digest: text('digest').primaryKey(),
  userId: text('user_id').notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
  acceptedAt: integer('accepted_at'),
})

/** Accounts at identity providers, and whose they are here. */
export const identities = sqliteTable(
  'identities',
  {
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    userId: text('user_id').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.issuer, t.subject] })],
)

/** What is kept for a while, sealed, on shelves: answers, and what guards said. */
export const keptThings = sqliteTable(
  'kept_things',
  {
    shelf: text('shelf').notNull(),
    key: text('key').notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.shelf, t.key] }), index('kept_things_expiry').on(t.shelf, t.expiresAt)],
)

/** What did not have to be paid since an answer was there already. */
export const savings = sqliteTable(
  'savings',
  {
    /** Days since the epoch, of the ledger's calendar. */
    day: integer('day').notNull(),
    scope: text('scope').notNull(),
    alias: text('alias').notNull(),
    hits: integer('hits').notNull(),
    /** Nano-dollars. */
    saved: integer('saved').notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.day, t.alias] })],
)

/**
 * What happened, written once (src/audit): triggers in the migration refuse every change, and every deletion that no
 * tombstone covers. Chained: each entry's code is over the one before.
 */
const chain = {
  /** From 1 on, without a gap. */
  seq: integer('seq').primaryKey(),
  at: integer('at').notNull(),
  mac: blob('mac', { mode: 'buffer' as const }).notNull(),
  /** JSON, byte for byte what the code is over. */
  body: text('body').notNull(),
}
/** Chain 1: requests. */
export const auditRequests = sqliteTable('audit_requests', chain)
/** Chain 2: what was done to the gateway. */
export const auditAdmin = sqliteTable('audit_admin', chain)

/** Signed: how far a chain had come. A tombstone says up to where its beginning was let go. */
export const auditCheckpoints = sqliteTable(
  'audit_checkpoints',
  {
    chain: integer('chain').notNull(),
    seq: integer('seq').notNull(),
    /** `checkpoint` or `tombstone`. */
    kind: text('kind').notNull(),
    mac: blob('mac', { mode: 'buffer' }).notNull(),
    at: integer('at').notNull(),
    /** Ed25519. */
    signature: blob('signature', { mode: 'buffer' }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.chain, t.seq, t.kind] })],
)

/** What an entry of the second chain says in full; the entry itself holds a code over it, so that a person can be taken out. */
export const auditDetails = sqliteTable('audit_details', {
  seq: integer('seq').primaryKey(),
  nonce: blob('nonce', { mode: 'buffer' }).notNull(),
  text: text('text').notNull(),
})

/** By which people become numbers in the first chain: without his salt nobody can tell any more that one was his. */
export const auditSalts = sqliteTable('audit_salts', {
  /** `user:ada`, `customer:acme-17`. */
  person: text('person').primaryKey(),
  salt: blob('salt', { mode: 'buffer' }).notNull(),
})

/** What was said and answered, of those who asked for it to be kept. Sealed. */
export const contents = sqliteTable(
  'contents',
  {
    requestId: text('request_id').primaryKey(),
    key: text('key'),
    user: text('user'),
    team: text('team'),
    project: text('project'),
    customer: text('customer'),
    at: integer('at').notNull(),
    sealed: blob('sealed', { mode: 'buffer' }).notNull(),
  },
  (t) => [index('contents_at').on(t.at)],
)

/** Alerts, open and over: what they say is JSON. */
export const alerts = sqliteTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    /** Null: it still holds. */
    resolvedAt: integer('resolved_at'),
    facts: text('facts').notNull(),
  },
  (t) => [index('alerts_resolved').on(t.resolvedAt)],
)

export const alertSilences = sqliteTable('alert_silences', {
  id: text('id').primaryKey(),
  until: integer('until').notNull(),
  facts: text('facts').notNull(),
})

/** What is usual of a key, as it was learnt. */
export const alertHabits = sqliteTable('alert_habits', {
  subject: text('subject').primaryKey(),
  facts: text('facts').notNull(),
})

/**
 * The tables. Money is integer nano-dollars, times are integer ms since the epoch, booleans are 0 and 1.
 * `holds` and `charges` are keyed by (operation, attempt), which makes a second booking of one attempt impossible, and
 * are ordered by time, since an operation's number begins with its millisecond: no other index is needed on the way of
 * a request. Both are WITHOUT ROWID (written into the migration by hand: drizzle-kit has no word for it).
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
    /** JSON object of the operator's own. */
    metadata: text('metadata').notNull().default('{}'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (t) => [uniqueIndex('keys_digest').on(t.digest), uniqueIndex('keys_alias').on(t.alias)],
)

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
    /** Number of `key:<id>` in words; null for the master key. */
    key: integer('key'),
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
    output: integer('output').notNull(),
    reasoning: integer('reasoning').notNull(),
    source: integer('source').notNull(),
    cost: integer('cost').notNull(),
  },
  (t) => [primaryKey({ columns: [t.operation, t.attempt] })],
)

/** What a scope has spent in a window (start 0 = since the beginning). Moves in the transaction of its charges. */
export const spend = sqliteTable(
  'spend',
  {
    scope: text('scope').notNull(),
    windowStart: integer('window_start').notNull(),
    cost: integer('cost').notNull(),
    requests: integer('requests').notNull(),
    tokens: integer('tokens').notNull(),
  },
  (t) => [primaryKey({ columns: [t.scope, t.windowStart] })],
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

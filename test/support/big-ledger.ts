/** A ledger with a past: as many charges as are asked for, with all sums over them, written by SQLite itself. */
import { GATEWAY, NOBODY, type Payer, scopesOfPayer, scopesOfTarget } from '../../src/core/scope.ts'
import { Names } from '../../src/store/names.ts'
import { openStore } from '../../src/store/open.ts'
import { operationAt } from '../../src/store/operation.ts'
import { priced, target } from '../core/make.ts'

export interface Past {
  rows: number
  /** They lie side by side in so many days, the last of which is that of `until`. */
  days: number
  /** ms since the epoch. */
  until: number
  /** Ids of keys; each belongs to one of `teams`. */
  keys: readonly string[]
  teams: readonly string[]
  /** Every second request names one of so many. */
  customers: number
  /** Aliases, at two providers. */
  models: number
}

const DAY_MS = 86_400_000
/** Nano-dollars a token. */
const PRICE = { input: 150, output: 600 }
const SUMS =
  'sum(cost), sum(requests), sum(failed), sum(input), sum(cache_read), sum(cache_write), sum(output), sum(reasoning)'

/** Writes it into a data folder, which nobody uses meanwhile. @returns bytes of the file */
export function writePast(dataDir: string, past: Past): number {
  const store = openStore(dataDir)
  const { sqlite } = store
  sqlite.pragma('synchronous = OFF')
  sqlite.pragma('cache_size = -200000')
  const names = new Names(store)
  const word = (text: string): number => names.word(text)
  const price = names.price(priced(PRICE.input * 1_000_000, PRICE.output * 1_000_000))

  sqlite.exec(
    'CREATE TEMP TABLE of_payer (payer INTEGER, scope INTEGER); CREATE TEMP TABLE of_target (target INTEGER, scope INTEGER)',
  )
  const ofPayer = sqlite.prepare('INSERT INTO of_payer VALUES (?, ?)')
  const ofTarget = sqlite.prepare('INSERT INTO of_target VALUES (?, ?)')
  const numbers = { payers: [] as number[], targets: [] as number[] }
  sqlite.transaction(() => {
    for (const payer of payersOf(past)) {
      const number = names.payer(payer)
      numbers.payers.push(number)
      for (const scope of scopesOfPayer(payer)) ofPayer.run(number, word(scope))
    }
    for (let i = 0; i < past.models; i++) {
      const one = target({
        id: `m${i}#1`,
        alias: `m${i}`,
        model: `model-${i}`,
        provider: ['openai', 'anthropic'][i % 2] as string,
      })
      const number = names.target(one)
      numbers.targets.push(number)
      for (const scope of [...scopesOfTarget(one), GATEWAY]) ofTarget.run(number, word(scope))
    }
  })()
  sqlite.exec(
    'CREATE TEMP TABLE p (i INTEGER PRIMARY KEY, n INTEGER); CREATE TEMP TABLE t (i INTEGER PRIMARY KEY, n INTEGER)',
  )
  for (const [table, list] of [
    ['p', numbers.payers],
    ['t', numbers.targets],
  ] as const)
    sqlite.prepare(`INSERT INTO ${table} SELECT key, value FROM json_each(?)`).run(JSON.stringify(list))

  const end = (Math.floor(past.until / DAY_MS) + 1) * DAY_MS
  const begin = end - past.days * DAY_MS
  const step = Math.floor((past.until - begin) / past.rows)
  if (step < 1) throw new Error('more than one a millisecond does not fit')
  const unless = (otherwise: string | number, value: string | number): string => `iif(failed, ${otherwise}, ${value})`
  const values: Record<string, string> = {
    operation: `(at - ${Date.UTC(2024, 0, 1)}) * 4096`,
    attempt: '1',
    started_at: 'at',
    duration_ms: '400 + i * 13 % 9000',
    first_ms: unless('NULL', '120 + i * 17 % 900'),
    payer: 'payer',
    target: 'target',
    price: String(price),
    call: String(word('acompletion')),
    outcome: unless(word('server'), word('ok')),
    status: unless(500, 200),
    input: unless(0, 'input'),
    output: unless(0, 'output'),
    source: unless(word('none'), word('provider')),
    cost: unless(0, `input * ${PRICE.input} + output * ${PRICE.output}`),
  }
  const columns = sqlite.pragma('table_info(charges)') as { name: string; notnull: number }[]
  // Mixed by odd factors: neighbours differ. Everybody asks a handful of models.
  sqlite.exec(
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${past.rows - 1}),
       r AS (SELECT n.i, ${begin} + n.i * ${step} AS at, 20 + n.i * 7919 % 1800 AS input, 5 + n.i * 104729 % 700 AS output, n.i * 31 % 25 = 0 AS failed,
         p.n AS payer, t.n AS target
         FROM n JOIN p ON p.i = n.i * 48271 % ${numbers.payers.length} JOIN t ON t.i = (p.i * 3 + n.i / 977 % 5) % ${numbers.targets.length})
     INSERT INTO charges SELECT ${columns.map(({ name, notnull }) => values[name] ?? (notnull ? '0' : 'NULL')).join(', ')} FROM r`,
  )
  sqlite.exec(
    `INSERT INTO payer_rollups SELECT payer, started_at / ${DAY_MS} AS day, target, sum(cost), count(*), sum(outcome <> ${word('ok')}),
       sum(input), sum(cache_read), sum(cache_write + cache_write_hour), sum(output), sum(reasoning)
     FROM charges GROUP BY day, payer, target;
     INSERT INTO rollups SELECT scope, day, target, ${SUMS} FROM
       (SELECT s.scope, r.* FROM payer_rollups r JOIN of_payer s ON s.payer = r.payer
        UNION ALL SELECT s.scope, r.* FROM payer_rollups r JOIN of_target s ON s.target = r.target)
     GROUP BY scope, day, target;
     INSERT INTO spend SELECT scope, 0, 0, sum(cost), sum(requests), sum(input + output), 0 FROM rollups GROUP BY scope`,
  )
  if (operationAt(begin) < 0) throw new Error('operations are numbered from 2024 on')
  const bytes =
    (sqlite.pragma('page_count', { simple: true }) as number) * (sqlite.pragma('page_size', { simple: true }) as number)
  store.close()
  return bytes
}

function payersOf({ keys, teams, customers }: Past): Payer[] {
  const payers: Payer[] = keys.map((key, i) => ({ ...NOBODY, key, team: teams[i % teams.length], organization: 'org' }))
  const named = Array.from({ length: customers }, (_, i) => ({
    ...(payers[i % keys.length] as Payer),
    customer: `customer-${i}`,
  }))
  return customers === 0 ? payers : [...payers, ...named]
}

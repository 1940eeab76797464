/** Whatever is done to the file by somebody who is not the gateway is found, and told for what it is. */
import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { AuditKeys } from '../../src/audit/keys.ts'
import { anchorLine, type ChainRow, readAnchor } from '../../src/core/audit-chain.ts'
import { pepper } from '../../src/store/pepper.ts'
import { after, type Made, makeAudit, verify } from './make.ts'

const body = (sqlite: Database.Database, seq: number) =>
  sqlite.prepare('SELECT 1 AS chain, * FROM audit_requests WHERE seq = ?').get(seq) as ChainRow

function put(sqlite: Database.Database, { seq, at, mac, body }: ChainRow): void {
  sqlite.prepare('INSERT OR REPLACE INTO audit_requests VALUES (?, ?, ?, ?)').run(seq, at, mac, body)
}

/** Writes the codes anew from an entry on: what somebody can who has the whole folder. */
function rechain({ dir }: Made, sqlite: Database.Database, from: number): void {
  const keys = new AuditKeys(pepper(dir))
  let before = body(sqlite, from - 1).mac
  const rows = sqlite
    .prepare('SELECT 1 AS chain, * FROM audit_requests WHERE seq >= ? ORDER BY seq')
    .all(from) as ChainRow[]
  for (const row of rows) {
    const mac = keys.macOf(before, row)
    put(sqlite, { ...row, mac })
    before = mac
  }
}

test('what nobody has touched is whole', async () => {
  const made = makeAudit(25)
  const { code, out } = await verify(made)
  expect(out).toContain('The audit is whole.')
  expect(out).toContain('requests  27 entries, 1 to 27; signed up to 27')
  expect(code).toBe(0)
  const json = JSON.parse((await verify(made, '--json')).out)
  expect(json.whole).toBe(true)
  expect(json.chains[0]).toMatchObject({ chain: 'requests', entries: 27, signed: 27, unsigned: 0, findings: [] })
})

describe('found', () => {
  test('an entry whose text was changed', async () => {
    const told = await after(makeAudit(25), (sqlite) =>
      sqlite.exec(`UPDATE audit_requests SET body = replace(body, 'req_11', 'req_99') WHERE seq = 12`),
    )
    expect(told.text).toContain('requests 12: this entry was changed, or put in')
    expect(told.text).not.toContain('requests 13')
    expect(told.code).toBe(1)
  })

  test('an entry whose time was changed', async () => {
    const told = await after(makeAudit(5), (sqlite) =>
      sqlite.exec('UPDATE audit_requests SET at = at + 1 WHERE seq = 3'),
    )
    expect(told.text).toContain('requests 3: this entry was changed')
    expect(told.code).toBe(1)
  })

  test('an entry that was taken out', async () => {
    const told = await after(makeAudit(25), (sqlite) => sqlite.exec('DELETE FROM audit_requests WHERE seq = 12'))
    expect(told.text).toContain('requests 12: this entry is missing: removed')
    expect(told.code).toBe(1)
  })

  test('an entry that was taken out, with those behind it moved up', async () => {
    const told = await after(makeAudit(8), (sqlite) => {
      sqlite.exec('DELETE FROM audit_requests WHERE seq = 5')
      for (let seq = 6; seq <= 10; seq++) sqlite.exec(`UPDATE audit_requests SET seq = ${seq - 1} WHERE seq = ${seq}`)
    })
    expect(told.text).toContain('requests 5: the entry of this number is gone')
    expect(told.code).toBe(1)
  })

  test('entries that were moved: neighbours, and others', async () => {
    for (const [a, b] of [
      [11, 12],
      [4, 19],
    ] as const) {
      const told = await after(makeAudit(25), (sqlite) => {
        const [first, second] = [body(sqlite, a), body(sqlite, b)]
        put(sqlite, { ...second, seq: a })
        put(sqlite, { ...first, seq: b })
      })
      expect(told.text).toContain(`requests ${a}: this entry was written as number ${b}: entries were moved.`)
      expect(told.text).toContain(`requests ${b}: this entry was written as number ${a}: entries were moved.`)
      expect(told.code).toBe(1)
    }
  })

  test('an entry that was put in', async () => {
    const told = await after(makeAudit(8), (sqlite) => {
      for (let seq = 10; seq >= 6; seq--) sqlite.exec(`UPDATE audit_requests SET seq = ${seq + 1} WHERE seq = ${seq}`)
      put(sqlite, { ...body(sqlite, 5), seq: 6, body: '{"kind":"request","id":"req_never"}' })
    })
    expect(told.text).toContain('requests 6: this entry was put in')
    expect(told.code).toBe(1)
  })

  test('an entry that was added at the end', async () => {
    const told = await after(makeAudit(8), (sqlite) =>
      put(sqlite, { ...body(sqlite, 10), seq: 11, body: '{"kind":"request","id":"req_never"}' }),
    )
    expect(told.text).toContain('requests 11: this entry was changed, or put in')
    expect(told.code).toBe(1)
  })

  test('an end that was cut off, by the checkpoints beside it', async () => {
    const told = await after(makeAudit(25), (sqlite) => sqlite.exec('DELETE FROM audit_requests WHERE seq > 22'))
    expect(told.text).toContain('requests 23: the end is cut off: 27 entries were signed')
    expect(told.code).toBe(1)
  })

  test('an end that was cut off together with its checkpoints, by an anchor that was kept elsewhere', async () => {
    const made = makeAudit(25)
    const cut = (sqlite: Database.Database) => {
      sqlite.exec('DELETE FROM audit_requests WHERE seq > 20')
      sqlite.exec('DELETE FROM audit_checkpoints WHERE chain = 1 AND seq > 20')
      sqlite.exec('DELETE FROM audit_admin WHERE seq > 1')
      sqlite.exec('DELETE FROM audit_checkpoints WHERE chain = 2')
    }
    const anchors = join(made.dir, 'anchors.jsonl')
    writeFileSync(anchors, made.anchors.map((one) => `${anchorLine(one)}\n`).join(''))
    const blind = await after(made, cut)
    expect(blind.code).toBe(0)
    expect(blind.text).toContain('whoever can write this folder could have cut it off')
    const { code, err } = await verify(made, '--anchors', anchors)
    expect(err).toContain('requests 21: the end is cut off: 27 entries were signed')
    expect(code).toBe(1)
  })

  test('an end of one chain that was cut off together with its checkpoints, by what the other one tells', async () => {
    const told = await after(makeAudit(25), (sqlite) => {
      sqlite.exec('DELETE FROM audit_requests WHERE seq > 20')
      sqlite.exec('DELETE FROM audit_checkpoints WHERE chain = 1 AND seq > 20')
    })
    expect(told.text).toContain('requests 21: the end is cut off: the other chain tells of the end of the run')
    expect(told.code).toBe(1)
  })

  test('a chain that was emptied together with its checkpoints', async () => {
    for (const [chain, table] of [
      [1, 'audit_requests'],
      [2, 'audit_admin'],
    ] as const) {
      const told = await after(makeAudit(5), (sqlite) => {
        sqlite.exec(`DELETE FROM ${table}`)
        sqlite.exec(`DELETE FROM audit_checkpoints WHERE chain = ${chain}`)
      })
      expect(told.text).toContain('1: there is nothing here, and each start of a gateway is an entry')
      expect(told.code).toBe(1)
    }
  })

  test('checkpoints that were removed, so that what they signed could be written anew', async () => {
    const told = await after(makeAudit(25), (sqlite) => sqlite.exec('DELETE FROM audit_checkpoints'))
    expect(told.text).toContain('requests 27: a run ended here, and each end is signed: its checkpoint was removed')
    expect(told.code).toBe(1)
  })

  test('entries in front of the first one', async () => {
    for (const seq of [0, -7]) {
      const told = await after(makeAudit(5), (sqlite) => put(sqlite, { ...body(sqlite, 3), seq }))
      expect(told.text).toContain(`requests ${seq}: this entry was put in`)
      expect(told.code).toBe(1)
    }
  })

  test('columns that hold what no gateway writes', async () => {
    for (const change of ['body = CAST(body AS BLOB)', "mac = 'abc'", "mac = x''", "at = 'noon'"]) {
      const told = await after(makeAudit(5), (sqlite) =>
        sqlite.exec(`UPDATE audit_requests SET ${change} WHERE seq = 3`),
      )
      expect(told.text).toContain('requests 3: this entry was changed')
      expect(told.code).toBe(1)
    }
    const told = await after(makeAudit(5), (sqlite) => sqlite.exec("UPDATE audit_checkpoints SET signature = 'abc'"))
    expect(told.text).toContain("is not signed by this gateway's key")
    expect(told.code).toBe(1)
  })

  test('tables and keys that are gone, or are something else', async () => {
    for (const table of ['audit_requests', 'audit_admin', 'audit_checkpoints', 'audit_details']) {
      const told = await after(makeAudit(5), (sqlite) => sqlite.exec(`DROP TABLE ${table}`))
      expect(told.text).toContain(`has no table ${table}: somebody has removed it.`)
      expect(told.code).toBe(1)
    }
    const told = await after(makeAudit(5), (sqlite) =>
      sqlite.exec("UPDATE facts SET value = 'x' WHERE name = 'audit_public_key'"),
    )
    expect(told.text).toContain('the public key is none')
    expect(told.code).toBe(1)
  })

  test('what was put beside an entry that has nothing beside it', async () => {
    for (const seq of [1, 4_000]) {
      const told = await after(makeAudit(5), (sqlite) =>
        sqlite.exec(`INSERT INTO audit_details VALUES (${seq}, x'00', '{"actor":"eve"}')`),
      )
      expect(told.text).toContain(`admin ${seq}: something was put beside this entry`)
      expect(told.code).toBe(1)
    }
  })

  test('a chain that was written anew with the key in the folder, by what was signed', async () => {
    const made = makeAudit(25)
    const told = await after(made, (sqlite) => {
      sqlite.exec(`UPDATE audit_requests SET body = replace(body, 'req_4', 'req_x') WHERE seq = 5`)
      rechain(made, sqlite, 5)
    })
    expect(told.text).toContain('is not the entry that was signed')
    expect(told.text).not.toContain('was changed')
    expect(told.code).toBe(1)
  })

  test('a checkpoint that somebody else made', async () => {
    const made = makeAudit(25)
    const told = await after(made, (sqlite) => {
      sqlite.exec(`UPDATE audit_requests SET body = replace(body, 'req_4', 'req_x') WHERE seq = 5`)
      rechain(made, sqlite, 5)
      for (const seq of [10, 15, 20, 25, 27]) {
        const found = sqlite.prepare('SELECT mac FROM audit_requests WHERE seq = ?').pluck().get(seq)
        sqlite.prepare('UPDATE audit_checkpoints SET mac = ? WHERE chain = 1 AND seq = ?').run(found, seq)
      }
    })
    expect(told.text).toContain("is not signed by this gateway's key")
    expect(told.code).toBe(1)
  })

  test("a whole folder that was signed with somebody else's key, by the public key that was kept elsewhere", async () => {
    const [mine, theirs] = [makeAudit(5), makeAudit(5)]
    const { out } = await import('../cli/world.ts').then(({ tollgate }) =>
      tollgate(['audit', 'key', '--data', mine.dir]),
    )
    const kept = join(mine.dir, 'key.pem')
    writeFileSync(kept, out)
    expect((await verify(mine, '--public-key', kept)).code).toBe(0)
    const told = await verify(theirs, '--public-key', kept)
    expect(told.err).toContain('The public key is not the one')
    expect(told.code).toBe(1)
  })
})

test('a checkpoint is the same when it has been written down and read again', () => {
  const [one] = makeAudit(3).anchors
  expect(one).toBeDefined()
  const read = readAnchor(anchorLine(one as NonNullable<typeof one>))
  expect(Buffer.from(read?.mac ?? []).equals(Buffer.from(one?.mac ?? []))).toBe(true)
  expect({ ...read, mac: 0, signature: 0 }).toEqual({
    ...(one as NonNullable<typeof one>),
    mac: 0,
    signature: 0,
  } as never)
  expect(readAnchor('{"type":"checkpoint"}')).toBeUndefined()
  expect(readAnchor('no json')).toBeUndefined()
})

test('the database itself refuses what is not the retention', () => {
  const made = makeAudit(5)
  const sqlite = new Database(made.path)
  for (const sql of [
    `UPDATE audit_requests SET body = '' WHERE seq = 2`,
    'DELETE FROM audit_requests WHERE seq = 2',
    'DELETE FROM audit_admin',
    `PRAGMA recursive_triggers = ON; INSERT OR REPLACE INTO audit_requests VALUES (2, 0, x'00', '')`,
    'UPDATE audit_checkpoints SET seq = 3',
    'DELETE FROM audit_checkpoints',
  ])
    expect(() => sqlite.exec(sql)).toThrow(/written once|retention alone/)
  sqlite.close()
})

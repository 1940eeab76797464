/** What becomes of requests while nothing can be written down. */
import { expect, test } from 'bun:test'
import { startAudit } from '../../src/app/audit.ts'
import { MOST_WAITING } from '../../src/audit/log.ts'
import { auditOf, audit as auditSettings, retention } from '../../src/config/audit.ts'
import { Refusal } from '../../src/core/refusal.ts'
import { SealKeys } from '../../src/secrets/seal.ts'
import { openStore } from '../../src/store/open.ts'
import { makeTemp } from '../support/temp.ts'

function open(onFull: 'drop_and_mark' | 'refuse_requests') {
  const store = openStore(makeTemp('full'))
  const root = Buffer.alloc(32, 1)
  const settings = auditOf(auditSettings.parse({ on_full: onFull }), retention.parse({}))
  const audit = startAudit({
    ...{ store, root, seals: new SealKeys([root]), config: settings, zone: 'UTC', ca: undefined, now: Date.now },
    wayOut: () => Promise.reject(new Error('nobody is asked here')),
    ...{ missing: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  })
  return { store, audit }
}

test.each(['drop_and_mark', 'refuse_requests'] as const)('%s', async (onFull) => {
  const { store, audit } = open(onFull)
  expect(() => audit.admit()).not.toThrow()
  store.sqlite.exec('ALTER TABLE audit_requests RENAME TO elsewhere')
  for (let i = 0; i <= MOST_WAITING; i++) audit.log.add({ chain: 1, at: Date.now(), body: () => '{"kind":"request"}' })
  const told = () => {
    try {
      audit.admit()
      return undefined
    } catch (cause) {
      return cause instanceof Refusal ? cause.code : 'something else'
    }
  }
  expect(told()).toBe(onFull === 'refuse_requests' ? 'overloaded' : undefined)
  store.sqlite.exec('ALTER TABLE elsewhere RENAME TO audit_requests')
  expect(audit.log.flush()).toBe(true)
  expect(told()).toBeUndefined()
  await audit.stop()
  expect(audit.shelf.from(1, MOST_WAITING, 10).map(({ body }) => JSON.parse(body).kind)).toContain('gap')
  store.close()
})

/** Machines of the house, simulated: nobody idle while somebody waits, nobody waits for others' share, all of it bounded. */
import { describe, expect, test } from 'bun:test'
import { Backend, enter, type Lease, leave, type Ticket } from '../../src/core/backend.ts'
import { Slots } from '../../src/core/slots.ts'
import { type Broken, crowd, type House, simulate, type Told } from './backend-world.ts'

const MEAN = 2_000
const SLOTS = [2, 2]
const ALL = 4

/** 32 callers of four keys: one has most of them, one has a single one. */
const CALLERS = [...crowd('many', 20), ...crowd('some', 8), ...crowd('few', 3), ...crowd('one', 1)]

const house = (seed: number, broken: Broken = {}, given: Partial<House> = {}): House => ({
  callers: CALLERS,
  slots: SLOTS,
  service: (random) => MEAN / 2 + random() * MEAN,
  forMs: 600_000,
  seed,
  broken,
  ...given,
})

/**
 * The wait of a key that has its fair share: with `n` requests of its own, of which each takes its turn, among the keys
 * that want as much.
 */
const fairWait = (n: number, keys: number): number => (n * keys * MEAN) / ALL

/** Keys of which somebody waited more than twice its fair share. */
function unfair({ waits }: Told, callers = CALLERS): string[] {
  const keys = [...new Set(callers.map((c) => c.key))]
  return keys.filter((key) => {
    const n = callers.filter((c) => c.key === key).length
    return Math.max(0, ...(waits.get(key) ?? [])) > 2 * fairWait(n, keys.length)
  })
}

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

describe('32 callers of four keys at two machines', () => {
  test('no slot is idle while somebody waits', () => {
    const callers = crowd('a', 6)
    for (const seed of SEEDS) {
      expect([seed, simulate(house(seed)).idle]).toEqual([seed, 0])
      expect([seed, simulate(house(seed, {}, { callers })).idle]).toEqual([seed, 0])
    }
    expect(simulate(house(1, { oneQueue: true }, { callers })).idle).toBeGreaterThan(0)
    expect(simulate(house(1, { noDispatch: true })).idle).toBeGreaterThan(0)
  })

  test('nobody waits more than twice the fair share of his key', () => {
    for (const seed of SEEDS) expect([seed, unfair(simulate(house(seed)))]).toEqual([seed, []])
    expect(unfair(simulate(house(1, { fifo: true })))).toContain('one')
  })

  test('who wants as much gets as much of the time', () => {
    for (const seed of SEEDS) {
      const { had } = simulate(house(seed))
      const [many = 0, some = 0] = [had.get('many'), had.get('some')]
      expect(Math.abs(many / some - 1)).toBeLessThan(0.05)
    }
    const { had } = simulate(house(1, { fifo: true }))
    expect((had.get('many') ?? 0) / (had.get('some') ?? 1)).toBeGreaterThan(2)
  })

  test('by time and not by number: long requests of one do not take the share of another', () => {
    const callers = [...crowd('long', 8), ...crowd('short', 8)]
    for (const seed of SEEDS) {
      const service = (random: () => number, key: string) => (key === 'long' ? 4_000 : 400) * (0.5 + random())
      const told = simulate({ ...house(seed), callers, service })
      const [long = 0, short = 0] = [told.had.get('long'), told.had.get('short')]
      expect(Math.abs(long / short - 1)).toBeLessThan(0.1)
    }
  })

  test('batch gets on beside what is interactive, and does not hold it up', () => {
    const callers = [...crowd('people', 12), ...crowd('night', 20, 'batch')]
    for (const seed of SEEDS) {
      const { had, waits } = simulate(house(seed, {}, { callers }))
      const [people = 0, night = 0] = [had.get('people'), had.get('night')]
      expect(night / (people + night)).toBeGreaterThan(0.07)
      expect(night / (people + night)).toBeLessThan(0.14)
      // Twelve at nine tenths of four slots.
      expect(Math.max(...(waits.get('people') ?? []))).toBeLessThan(2 * ((12 * MEAN) / (0.9 * ALL)))
    }
    const { had } = simulate(house(1, { flat: true }, { callers }))
    expect((had.get('night') ?? 0) / ((had.get('people') ?? 0) + (had.get('night') ?? 0))).toBeGreaterThan(0.3)
  })

  test('who comes for a moment does not wait behind those who are always there', () => {
    const callers = [...crowd('many', 31), { key: 'late', priority: 'interactive' as const, from: 300_000 }]
    for (const seed of SEEDS) {
      const { waits } = simulate(house(seed, {}, { callers }))
      expect(Math.max(...(waits.get('late') ?? [0]))).toBeLessThan(1.5 * MEAN)
    }
  })

  test('a queue is never longer than it may be, and whoever has least in it is not the one who goes', () => {
    for (const seed of SEEDS) {
      const { mostWaiting, refused, waits } = simulate(house(seed, {}, { most: 6 }))
      expect(mostWaiting).toBeLessThanOrEqual(6)
      expect(refused).toBeGreaterThan(0)
      expect(waits.get('one')?.length).toBeGreaterThan(50)
    }
    expect(simulate(house(1, { unbounded: true }, { most: 6 })).mostWaiting).toBeGreaterThan(6)
  })

  test('nobody waits beyond his time', () => {
    for (const seed of SEEDS) {
      const { longest, late } = simulate(house(seed, {}, { waitMs: 9_000 }))
      expect(longest).toBeLessThanOrEqual(9_000)
      expect(late).toBeGreaterThan(0)
    }
    expect(simulate(house(1, { patient: true }, { waitMs: 9_000 })).longest).toBeGreaterThan(9_000)
  })
})

describe('slots that nobody tells', () => {
  test('are found out, not more and not fewer', () => {
    for (const seed of SEEDS)
      for (const slots of [[1], [2], [4], [7]]) {
        const { backends, idle } = simulate(house(seed, {}, { slots, learn: true, forMs: 120_000 }))
        expect([slots, backends[0]?.slots.known]).toEqual([slots, slots[0] as number])
        // Finding out takes a moment.
        expect(idle).toBeLessThan(8_000)
      }
  })
})

/** A ticket at these machines, and what became of it. */
function ticket(backends: readonly Backend[], given: Partial<Ticket> = {}) {
  const leases: Lease[] = []
  let out = 0
  const one: Ticket = {
    ...{ key: 'k', priority: 'interactive', rank: 0, queues: backends.length },
    places: backends.map((backend) => ({ backend, model: 'm' })),
    begin: (lease) => leases.push(lease),
    pushOut: () => out++,
    ...given,
  }
  return { one, leases, out: () => out }
}

const machine = (slots: number, most = 8) => new Backend('http://gpu', new Slots(slots, 1), { most, waitMs: 60_000 })

describe('one machine', () => {
  test('a leaver frees his place and his slot at once, and ending twice frees one', () => {
    const gpu = machine(1)
    const [a, b, c] = [ticket([gpu]), ticket([gpu]), ticket([gpu])]
    for (const { one } of [a, b, c]) enter(one, 0)
    expect([a.leases.length, b.leases.length, gpu.queue.size]).toEqual([1, 0, 2])
    leave(b.one)
    expect(gpu.queue.size).toBe(1)
    const [lease] = a.leases
    gpu.end(lease as Lease, 10)
    gpu.end(lease as Lease, 10)
    expect([b.leases.length, c.leases.length, gpu.running.size]).toEqual([0, 1, 1])
  })

  test('who is given a slot at one machine stands in no other queue', () => {
    const [one, two] = [machine(1), machine(1)]
    const [a, b, c] = [ticket([one]), ticket([two]), ticket([one, two])]
    for (const { one: t } of [a, b, c]) enter(t, 0)
    expect([one.queue.size, two.queue.size]).toEqual([1, 1])
    two.end(b.leases[0] as Lease, 5)
    expect([c.leases[0]?.place.backend === two, one.queue.size, two.queue.size]).toEqual([true, 0, 0])
  })

  test('the wait is what runs and what is before it, over the slots', () => {
    const gpu = machine(2)
    gpu.modelAt('m').took.observe(4_000)
    for (let i = 0; i < 4; i++) enter(ticket([gpu], { key: `k${i}` }).one, 0)
    // Two run and two wait, of 4 s each.
    expect(gpu.expectedWait(0)).toBe(8_000)
    expect(gpu.expectedWait(1_000)).toBe(7_000)
    const last = ticket([gpu], { key: 'new' })
    enter(last.one, 1_000)
    expect(gpu.queue.before(last.one)).toEqual({ count: 2, ms: 8_000 })
    expect(gpu.expectedWait(1_000, last.one)).toBe(7_000)
  })

  test('loading a model is part of what it costs, and of the share of whoever asks for it', () => {
    const gpu = machine(1)
    gpu.tellLoaded([{ model: 'warm:latest', size: 10, vram: 10, expiresAt: undefined }])
    const at = (model: string) => [{ backend: gpu, model }]
    enter(ticket([gpu], { places: at('warm') }).one, 0)
    const cold = ticket([gpu], { key: 'a', places: at('cold') })
    const warm = ticket([gpu], { key: 'b', places: at('warm') })
    enter(cold.one, 1)
    enter(warm.one, 2)
    expect(gpu.costOf('cold') - gpu.costOf('warm')).toBe(5_000)
    gpu.end([...gpu.running][0] as Lease, 1_000)
    expect([warm.leases.length, cold.leases.length]).toEqual([1, 0])
  })

  test('a model that lies in part beside the GPU is known as such', () => {
    const gpu = machine(1)
    gpu.tellLoaded([
      { model: 'whole', size: 10, vram: 10, expiresAt: undefined },
      { model: 'half', size: 10, vram: 5, expiresAt: undefined },
    ])
    expect([gpu.isSpilled('whole'), gpu.isSpilled('half'), gpu.isSpilled('none')]).toEqual([false, true, false])
    expect(gpu.modelAt('half').onGpu).toBe(0.5)
  })

  test('the lowest number goes first among a key’s own, and takes nobody else’s turn', () => {
    const gpu = machine(1)
    enter(ticket([gpu], { key: 'x' }).one, 0)
    const begun: string[] = []
    for (const [name, key, rank] of [
      ['a5', 'a', 5],
      ['a1', 'a', 1],
      ['b9', 'b', 9],
      ['a0', 'a', 0],
    ] as const)
      enter(ticket([gpu], { key, rank, begin: () => begun.push(name) }).one, 0)
    for (let i = 0; i < 4; i++) gpu.end([...gpu.running][0] as Lease, 2_000 * (i + 1))
    expect(begun.filter((n) => n.startsWith('a'))).toEqual(['a0', 'a1', 'a5'])
    expect(begun.indexOf('b9')).toBeLessThan(2)
  })
})

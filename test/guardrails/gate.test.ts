/** Streams past guards: whatever the chunks, nothing forbidden leaves, nothing else is lost, and all of it in order. */
import { describe, expect, test } from 'bun:test'
import type { Event } from '../../src/dialects/canonical.ts'
import { Gate } from '../../src/guardrails/gate.ts'
import type { Subject } from '../../src/guardrails/guard.ts'
import { Guards } from '../../src/guardrails/guards.ts'
import type { Looked, Rail } from '../../src/guardrails/rail.ts'
import { Vault } from '../../src/guardrails/vault.ts'
import { seeded } from '../support/seeded.ts'
import { finder, rail, SECRET } from './rails.ts'
import { guard } from './support.ts'

class Blocked extends Error {}

function gateOf(rails: readonly Rail[], { vault = new Vault(), choices = 1 } = {}) {
  const guards = new Guards(rails, { shelf: undefined, random: Math.random, now: () => performance.now() })
  const looks: Subject[] = []
  const gate = new Gate({
    ...{ rails, vault, choices, model: 'm', declared: new Set(['f']) },
    look: (of, subject) => {
      looks.push(subject)
      return guards.look(of, subject, 't', new AbortController().signal)
    },
    decide: (looked) => {
      const flagged = looked.filter(({ look }) => look?.flagged)
      if (flagged.some((one: Looked) => one.rail.terms.onFlagged === 'block')) throw new Blocked('no')
      return flagged
    },
    tooLong: () => {
      throw new Blocked('too long')
    },
  })
  return { gate, looks }
}

const text = (said: string, choice = 0): Event => ({ type: 'text', choice, text: said })
const finish = (choice = 0): Event => ({ type: 'finish', choice, reason: { unified: 'stop', raw: 'stop' } })

/** What a caller has been given of each thread. */
function heard(events: readonly Event[]): Record<string, string> {
  const threads: Record<string, string> = {}
  for (const event of events) {
    if (!('text' in event)) continue
    const name = `${event.type} ${event.choice}${event.type === 'args' ? ` ${event.index}` : ''}`
    threads[name] = (threads[name] ?? '') + event.text
  }
  return threads
}

async function through(gate: Gate, events: readonly Event[], random: () => number): Promise<Event[]> {
  const out: Event[] = []
  for (const event of events) {
    gate.push(event)
    // As many frames as a chunk of the network holds.
    if (random() < 0.5) out.push(...(await gate.settle()))
  }
  gate.close()
  out.push(...(await gate.settle()))
  return out
}

function cut(said: string, random: () => number): string[] {
  const parts: string[] = []
  for (let at = 0; at < said.length; ) {
    const end = at + 1 + Math.floor(random() * random() * 30)
    parts.push(said.slice(at, end))
    at = end
  }
  return parts
}

/** Texts with secrets in them, and near misses, at random. */
function story(random: () => number): string {
  const words = [
    'hello ',
    'world ',
    SECRET,
    SECRET.slice(0, 6),
    '€ ',
    'line\n',
    ' "quoted" ',
    'SECRET-',
    `${SECRET}${SECRET}`,
  ]
  return Array.from({ length: 5 + Math.floor(random() * 40) }, () => words[Math.floor(random() * words.length)]).join(
    '',
  )
}

/** Threads of several choices, mixed as a stream may mix them. */
function stream(random: () => number, choices: number): { events: Event[]; said: Record<string, string> } {
  const said: Record<string, string> = {}
  const perChoice = Array.from({ length: choices }, (_, choice) => {
    const thought = story(random)
    const told = story(random)
    const args = JSON.stringify({ to: story(random), n: 5 })
    Object.assign(said, { [`thinking ${choice}`]: thought, [`text ${choice}`]: told, [`args ${choice} 0`]: args })
    return [
      ...cut(thought, random).map((part): Event => ({ type: 'thinking', choice, text: part })),
      ...cut(told, random).map((part) => text(part, choice)),
      { type: 'call', choice, index: 0, id: 'c', name: 'f' } as Event,
      ...cut(args, random).map((part): Event => ({ type: 'args', choice, index: 0, text: part })),
      finish(choice),
    ]
  })
  const events: Event[] = [{ type: 'start', id: 'a' }]
  while (perChoice.some((left) => left.length > 0)) {
    const left = perChoice[Math.floor(random() * choices)]
    const event = left?.shift()
    if (event) events.push(event)
  }
  return { events: [...events, { type: 'end' }], said }
}

describe.each([false, true])('a guard that is late: %s', (late) => {
  test('nothing forbidden leaves, and all else does, in its order, whatever the chunks', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const random = seeded(seed)
      const choices = 1 + (seed % 3)
      const { events, said } = stream(random, choices)
      const { gate } = gateOf([rail(finder({ late }), { onFlagged: 'redact' })], { choices })
      const out = await through(gate, events, random)
      const told = heard(out)
      for (const [name, text] of Object.entries(said)) {
        expect([seed, name, told[name]]).toEqual([seed, name, text.replaceAll(SECRET, '<CODE>')])
        if (name.startsWith('args')) JSON.parse(told[name] as string)
      }
      const order = (all: readonly Event[]) =>
        all.filter(({ type }) => type === 'call' || type === 'finish' || type === 'end')
      expect(order(out)).toEqual(order(events))
    }
  })

  test('what is blocked ends it before any of it has left', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed)
      const { gate } = gateOf([rail(finder({ late }))])
      const told = 'a '.repeat(Math.floor(random() * 300)) + SECRET + ' and more '.repeat(20)
      const out: Event[] = []
      const run = async () => {
        for (const part of cut(told, random)) {
          gate.push(text(part))
          out.push(...(await gate.settle()))
        }
        gate.push(finish())
        out.push(...(await gate.settle()))
      }
      await expect(run()).rejects.toBeInstanceOf(Blocked)
      const left = heard(out)['text 0'] ?? ''
      expect(left).not.toContain('SECRET')
      expect(told.startsWith(left)).toBeTrue()
    }
  })
})

test('a stream flows: of a long text most has left before its end', async () => {
  const { gate } = gateOf([rail()])
  const out: Event[] = []
  for (let i = 0; i < 200; i++) {
    gate.push(text('word '))
    out.push(...(await gate.settle()))
  }
  expect(heard(out)['text 0']?.length).toBeGreaterThan(850)
})

test('who needs the whole gets it once, and nothing leaves before', async () => {
  const shown: Subject[] = []
  const { gate } = gateOf([rail(finder({ needsWhole: true, shown }))])
  for (let i = 0; i < 100; i++) {
    gate.push(text('word '))
    expect(await gate.settle()).toEqual([])
  }
  gate.push(finish())
  expect(heard(await gate.settle())['text 0']).toBe('word '.repeat(100))
  expect(shown.map(({ whole, pieces }) => [whole, pieces[0]?.text.length])).toEqual([[true, 500]])
})

test('placeholders come back as values, wherever they are cut, and in JSON as JSON', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed)
    const vault = new Vault()
    const value = 'a "b" \\ c\n'
    const name = vault.hide(value, 'CODE', () => false)
    const { gate } = gateOf([], { vault })
    const told = `x < y, <b>, ${name}${name} <COD <CODE_2> and ${name}`
    const args = JSON.stringify({ to: `<${name}>`, [name]: 1 })
    const events: Event[] = [
      ...cut(told, random).map((part) => text(part)),
      { type: 'call', choice: 0, index: 0, id: 'c', name: 'f' },
      ...cut(args, random).map((part): Event => ({ type: 'args', choice: 0, index: 0, text: part })),
      finish(),
    ]
    const out = heard(await through(gate, events, random))
    expect(out['text 0']).toBe(told.replaceAll(name, value))
    expect(JSON.parse(out['args 0 0'] ?? '')).toEqual({ to: `<${value}>`, [value]: 1 })
  }
})

test('what is held back has an end', () => {
  const { gate } = gateOf([rail(finder({ needsWhole: true }))])
  expect(() => {
    for (let i = 0; i < 100; i++) gate.push(text('x'.repeat(100_000)))
  }).toThrow(Blocked)
})

test('thinking that was changed loses its signature', async () => {
  const { gate } = gateOf([rail(finder(), { onFlagged: 'redact' })])
  gate.push({ type: 'thinking', choice: 0, text: `so ${SECRET}` })
  gate.push({ type: 'signature', choice: 0, signature: 's' })
  gate.push(text('ok'))
  gate.push(finish())
  const out = await gate.settle()
  expect(out.map(({ type }) => type)).toEqual(['thinking', 'text', 'finish'])
  expect([...gate.dropped]).toEqual(['thinking'])
})

test('somebody else goes on: what was held back is forgotten, what was sent is remembered', async () => {
  const { gate } = gateOf([rail(finder(), { onFlagged: 'redact' })])
  const out: Event[] = []
  gate.push(text(`${'a '.repeat(100)}${SECRET.slice(0, 7)}`))
  out.push(...(await gate.settle()))
  const sent = heard(out)['text 0'] ?? ''
  expect(sent.length).toBeLessThan(200)
  gate.restart()
  // The other one goes on behind what was sent.
  for (const part of ['b '.repeat(60), SECRET, ' end']) {
    gate.push(text(part))
    out.push(...(await gate.settle()))
  }
  gate.push(finish())
  out.push(...(await gate.settle()))
  expect(heard(out)['text 0']).toBe(`${sent}${'b '.repeat(60)}<CODE> end`)
})

test('a long stream is looked at in windows and not kept', async () => {
  const { gate, looks } = gateOf([rail(finder(), { onFlagged: 'redact' })])
  const out: Event[] = []
  const story = `${'word '.repeat(40)}${SECRET} `
  for (let i = 0; i < 400; i++) {
    gate.push(text(story))
    out.push(...(await gate.settle()))
  }
  gate.push(finish())
  out.push(...(await gate.settle()))
  expect(heard(out)['text 0']).toBe(story.replace(SECRET, '<CODE>').repeat(400))
  expect(Math.max(...looks.map(({ pieces }) => pieces[0]?.text.length ?? 0))).toBeLessThan(story.length * 2)
})

describe('a private key longer than the window', () => {
  const lines = (count: number) => 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n'.repeat(count)
  const key = `-----BEGIN PRIVATE KEY-----\n${lines(250)}-----END PRIVATE KEY-----`

  test('is taken out whole, in chunks of one character, and looked at a few times', async () => {
    expect(key.length).toBeGreaterThan(16_000)
    const { gate, looks } = gateOf([rail(guard('secrets'), { onFlagged: 'redact' })])
    const out = await through(
      gate,
      [...`Here: ${key}\nThat was it.`].map((one) => text(one)),
      () => 0,
    )
    expect(heard(out)['text 0']).toBe('Here: <PRIVATE_KEY>\nThat was it.')
    expect(looks.reduce((n, { pieces }) => n + (pieces[0]?.text.length ?? 0), 0)).toBeLessThan(40 * key.length)
  })

  test('nothing of it leaves where its end never comes', async () => {
    const { gate } = gateOf([rail(guard('secrets'), { onFlagged: 'redact' })])
    const open = `Here: -----BEGIN RSA PRIVATE KEY-----\n${lines(250)}`
    const out = await through(
      gate,
      [...open].map((one) => text(one)),
      () => 0,
    )
    expect(heard(out)['text 0']).toBe('Here: <PRIVATE_KEY>')
  })

  test('blocks at its beginning', async () => {
    const { gate } = gateOf([rail(guard('secrets'))])
    let pushed = 0
    const all = (async () => {
      for (const one of key) {
        gate.push(text(one))
        pushed++
        await gate.settle()
      }
    })()
    expect(await all.catch((cause) => cause)).toBeInstanceOf(Blocked)
    expect(pushed).toBeLessThan(1_200)
  })
})

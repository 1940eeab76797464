/** Two halves of an answer: no character twice, none lost, whatever the second target repeats and however it is split. */
import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { Join } from '../../src/core/join.ts'

/** The whole answer, where the rest comes in these pieces. */
function joined(said: string, pieces: readonly string[], mode: 'continue' | 'restart' = 'continue'): string {
  const join = new Join(said, mode)
  return said + pieces.map((piece) => join.push(piece)).join('') + join.end()
}
const split = (text: string, sizes: readonly number[]): string[] => {
  const pieces: string[] = []
  let at = 0
  for (const size of sizes) {
    pieces.push(text.slice(at, at + size))
    at += size
  }
  return [...pieces, text.slice(at)]
}
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 20 })
const long = fc.string({ minLength: 20, maxLength: 60, unit: 'grapheme' })

test('a target that goes on is joined as it is', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), sizes, (said, rest, cuts) => {
      fc.pre(said.trimEnd() === said && !said.startsWith(rest.slice(0, 1)))
      expect(joined(said, split(rest, cuts))).toBe(said + rest)
    }),
  )
})

test('a target that says it all again is joined behind what it repeats', () => {
  fc.assert(
    fc.property(long, fc.string(), sizes, (said, rest, cuts) => {
      expect(joined(said, split(said + rest, cuts))).toBe(said + rest)
      expect(joined(said, split(said + rest, cuts), 'restart')).toBe(said + rest)
    }),
  )
})

test('white space at the seam is there once', () => {
  expect(joined('Once upon ', ['a time'])).toBe('Once upon a time')
  expect(joined('Once upon ', [' a time'])).toBe('Once upon a time')
  expect(joined('Once upon \n', [' ', '\n', 'a time'])).toBe('Once upon \na time')
  expect(joined('Once upon', [' a time'])).toBe('Once upon a time')
  expect(new Join('Once upon \n', 'continue').beginning).toBe('Once upon')
})

test('what only begins like a repetition is not lost', () => {
  expect(joined('ha', ['ha', 'ha'])).toBe('hahaha')
  expect(joined('The quick brown fox jumps over', ['The quick brown fox sleeps'])).toBe(
    'The quick brown fox jumps overThe quick brown fox sleeps',
  )
  expect(joined('The quick brown fox jumps over', ['The quick'])).toBe('The quick brown fox jumps overThe quick')
})

test('an answer that begins anew and says something else, or less, is no answer', () => {
  expect(() => joined('The quick brown fox', ['The quick red'], 'restart')).toThrow('another one')
  expect(() => joined('The quick brown fox', ['The quick'], 'restart')).toThrow('shorter')
  expect(joined('The', ['The', ' end'], 'restart')).toBe('The end')
})

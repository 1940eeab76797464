/** Texts of the corpus name what stands for a secret, so that nothing in the repository looks like one: `ghp_{{a36}}`. */
import { seeded } from '../../support/seeded.ts'

const SETS: Readonly<Record<string, string>> = {
  a: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  b: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  d: '0123456789',
  h: '0123456789abcdef',
  l: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
  p: 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!%+=_',
  u: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
}

/** @param seed the same gives the same text */
export function fill(text: string, seed: number): string {
  const random = seeded(seed)
  const draw = (set: string, count: number): string =>
    Array.from({ length: count }, () => set[Math.floor(random() * set.length)]).join('')
  return text.replace(/\{\{(?:([abdhlpu])(\d+)|(jwt|tollgate|base64_88))\}\}/g, (_, kind, count, special) => {
    if (kind) return draw(SETS[kind] as string, Number(count))
    if (special === 'tollgate') return `A7${draw(SETS.b as string, 18)}z9`
    if (special === 'base64_88') return `${draw(SETS.a as string, 86)}==`
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: draw(SETS.d as string, 8), iat: 1 })}.${draw(SETS.b as string, 43)}`
  })
}

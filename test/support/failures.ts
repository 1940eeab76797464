/** What failed, by name and with its words, out of a JUnit report: so that the end of a long log says it. */

export interface Failure {
  file: string
  /** `what > it does`. */
  name: string
  /** The error and where it stood. */
  told: string
}

const TESTCASE = /<testcase ([^>]*[^/])>\s*<(?:failure|error)\b[^>]*?(?:\/>|>([\s\S]*?)<\/(?:failure|error)>)/g

/** @param report the JUnit file's text, undefined where none was written */
export function failuresIn(report: string | undefined): Failure[] {
  return [...(report ?? '').matchAll(TESTCASE)].map(([, attributes = '', told = '']) => {
    const of = (name: string): string => plain(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '')
    return {
      file: of('file'),
      name: [of('classname'), of('name')].filter((part) => part !== '').join(' > '),
      told: plain(told).trim(),
    }
  })
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) =>
    decimal || hex
      ? String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal ? 10 : 16))
      : (ENTITIES[name] ?? whole),
  )

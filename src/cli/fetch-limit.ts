/**
 * Bun's fetch stops at 256 connections at once unless BUN_CONFIG_MAX_HTTP_REQUESTS is in the environment when the
 * process starts; setting it inside does nothing. So the process replaces itself with itself, the variable set, by
 * execve(2): the same pid, so that whoever supervises it notices nothing.
 */
import { existsSync } from 'node:fs'

const VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'

/**
 * How long Bun's allocator keeps freed pages before it gives them back to the system, ms. By its default of 10 ms the
 * pages of each large body are given back and faulted in again: measured 10 faults and 264–274 µs of CPU per request of
 * 100 kB, against 0.35 and 197 with this.
 */
const ALLOCATOR = { MIMALLOC_PURGE_DELAY: '5000' }

/** As many connections as `fetch` may hold; the system's limit on open files comes first. */
const MOST = '65336'

/**
 * Returns only where there is nothing to raise, or where it can't be done: then one line on stderr says so.
 * @param needed whether this process will carry traffic
 */
export async function raiseFetchLimit(needed = process.argv[2] === 'serve'): Promise<void> {
  if (!needed || process.env[VARIABLE]) return
  try {
    await replaceProcess({ ...ALLOCATOR, ...process.env, [VARIABLE]: MOST })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    console.error(
      `tollgate: at most 256 requests at once go upstream, since ${VARIABLE} was not set at the start and the process could not restart itself (${why}). Set it to ${MOST}.`,
    )
  }
}

/** Which libc has execve: glibc, musl, or Apple's. */
function libraries(): string[] {
  if (process.platform === 'darwin') return ['libSystem.dylib']
  if (process.platform !== 'linux') return []
  const musl = `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`
  return existsSync(`/lib/${musl}`) ? [musl, 'libc.so.6'] : ['libc.so.6', musl]
}

/** The command line that starts this process again. A compiled file has its script inside and names it first. */
function commandLine(): string[] {
  const [, script = '', ...rest] = process.argv
  return /^(\/\$bunfs\/|[A-Z]:\/~BUN\/)/i.test(script)
    ? [process.execPath, ...rest]
    : [process.execPath, ...process.execArgv, script, ...rest]
}

/** Does not return where it succeeds. */
async function replaceProcess(env: Record<string, string | undefined>): Promise<void> {
  const { dlopen, FFIType, ptr } = await import('bun:ffi')
  // Everything that is pointed at must live until the call, so it is kept in arrays here.
  const kept: Uint8Array[] = []
  const vector = (words: readonly string[]): BigUint64Array => {
    const pointers = words.map((word) => {
      const bytes = new TextEncoder().encode(`${word}\0`)
      kept.push(bytes)
      return BigInt(ptr(bytes))
    })
    return BigUint64Array.from([...pointers, 0n])
  }
  const argv = vector(commandLine())
  const envp = vector(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])))
  const path = new TextEncoder().encode(`${process.execPath}\0`)
  let last: unknown = new Error(`${process.platform} has no execve`)
  for (const library of libraries()) {
    try {
      const { symbols } = dlopen(library, {
        execve: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.int },
      })
      const status = symbols.execve(ptr(path), ptr(argv), ptr(envp))
      last = new Error(`execve gave ${status}`)
    } catch (cause) {
      last = cause
    }
  }
  throw last
}

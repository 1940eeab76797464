/**
 * Many callers at once, in a process of their own: Bun's fetch stops at 256 unless told otherwise before the start.
 * Arguments: address, master key, a file with the questions. Prints what came of each as JSON.
 */
import { ask, type Question } from '../support/ask.ts'

export interface Asked extends Question {
  /** ms after which the caller leaves; never, where there is none. */
  leavesAfter?: number
}

export interface Came {
  /** 0: the caller left before there was any. */
  status: number
  whole: boolean
  /** Of a refusal; of an error in a stream only its sentence. */
  error: Record<string, unknown> | undefined
  told: string | undefined
}

const [url = '', masterKey = '', file = ''] = process.argv.slice(2)

async function one({ leavesAfter, ...question }: Asked): Promise<Came> {
  const gone = new AbortController()
  const timer = leavesAfter === undefined ? undefined : setTimeout(() => gone.abort(), leavesAfter)
  try {
    const said = await ask({ url, masterKey }, { ...question, signal: gone.signal })
    const error = said.status === 200 ? undefined : (JSON.parse(said.body) as { error: unknown }).error
    const facts = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : undefined
    return { status: said.status, whole: said.whole, error: facts, told: said.error }
  } catch (cause) {
    if (!gone.signal.aborted) throw cause
    return { status: 0, whole: false, error: undefined, told: undefined }
  } finally {
    clearTimeout(timer)
  }
}

const questions = (await Bun.file(file).json()) as Asked[]
console.log(JSON.stringify(await Promise.all(questions.map(one))))

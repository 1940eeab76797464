/**
 * Many callers at once, in a process of their own: Bun's fetch stops at 256 unless told otherwise before the start.
 * Arguments: address, key, model, tongue, count, words. Prints what came as JSON.
 */
import { wordsFor } from '../mock/answer.ts'
import { ask, type Tongue } from '../support/ask.ts'

const [url = '', masterKey = '', model = '', tongue = 'openai', count = '0', words = '0'] = process.argv.slice(2)

const all = await Promise.allSettled(
  Array.from({ length: Number(count) }, async (_, i) => {
    const said = await ask(
      { url, masterKey },
      { model, tongue: tongue as Tongue, stream: true, text: `caller${i} asks` },
    )
    return said.whole && said.text === wordsFor(`caller${i}`, Number(words)).join('')
  }),
)
const whole = all.filter((one) => one.status === 'fulfilled' && one.value).length
const failed = all.filter((one) => one.status === 'rejected').map((one) => String(one.reason))
console.log(JSON.stringify({ whole, failed: [...new Set(failed)] }))

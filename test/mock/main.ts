/** The mock as a process of its own: `bun test/mock/main.ts --port N [--words N] [--models a,b] [--key K]`. */
import { parseArgs } from 'node:util'
import { startMock } from './upstream.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    words: { type: 'string' },
    models: { type: 'string' },
    key: { type: 'string' },
  },
})

const mock = await startMock({
  port: Number(values.port),
  ...(values.words === undefined ? {} : { words: Number(values.words) }),
  ...(values.models === undefined ? {} : { models: values.models.split(',') }),
  ...(values.key === undefined ? {} : { key: values.key }),
})
console.log(`mock upstream on ${mock.url}`)

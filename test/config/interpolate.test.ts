// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what this is about
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { interpolate } from '../../src/config/interpolate.ts'
import { right, told } from './providers.ts'

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/)
/** Text that holds no beginning of a variable, and ends with no dollar that could become one. */
const plain = fc
  .string()
  .filter((text) => !text.includes('${') && !text.endsWith('$') && !text.startsWith('os.environ/'))
const value = fc.string({ minLength: 1 })

describe('properties', () => {
  test('text without variables stays as it is', () => {
    fc.assert(
      fc.property(plain, (text) => {
        expect(interpolate(text, {})).toEqual({ text, changed: false, errors: [] })
      }),
    )
  })

  test('a variable is its value between what stands around it, whatever it holds', () => {
    fc.assert(
      fc.property(plain, name, value, plain, (before, key, said, after) => {
        expect(interpolate(`${before}\${${key}}${after}`, { [key]: said }).text).toBe(before + said + after)
      }),
    )
  })

  test('a value is never read again: it can bring in no other variable', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        fc.pre(a !== b)
        expect(interpolate(`\${${a}}`, { [a]: `\${${b}}`, [b]: 'secret' }).text).toBe(`\${${b}}`)
      }),
    )
  })

  test('os.environ/NAME and ${NAME} say the same', () => {
    fc.assert(
      fc.property(name, value, (key, said) => {
        expect(interpolate(`os.environ/${key}`, { [key]: said }).text).toBe(
          interpolate(`\${${key}}`, { [key]: said }).text,
        )
      }),
    )
  })

  test('a default stands in where the variable is missing or empty, and nowhere else', () => {
    const fallback = fc.string().filter((text) => !text.includes('}'))
    fc.assert(
      fc.property(name, fallback, value, (key, usual, said) => {
        const text = `\${${key}:-${usual}}`
        expect(interpolate(text, {}).text).toBe(usual)
        expect(interpolate(text, { [key]: '' }).text).toBe(usual)
        expect(interpolate(text, { [key]: said })).toEqual({ text: said, changed: true, errors: [] })
      }),
    )
  })

  test('a missing variable is an error that names it, and no value is ever in an error', () => {
    fc.assert(
      fc.property(name, name, fc.stringMatching(/^[#%&]{8}$/), (missing, there, said) => {
        fc.pre(missing !== there)
        const { errors } = interpolate(`\${${there}}\${${missing}}`, { [there]: said })
        expect(errors).toHaveLength(1)
        expect(errors[0]).toContain(missing)
        expect(errors[0]).not.toContain(said)
      }),
    )
  })

  test('a doubled dollar is a dollar, and asks for no variable', () => {
    fc.assert(
      fc.property(plain, (text) => {
        fc.pre(!text.includes('}'))
        expect(interpolate(`$\${${text}}`, {})).toEqual({ text: `\${${text}}`, changed: false, errors: [] })
      }),
    )
  })
})

test('what is no variable is told of', () => {
  expect(interpolate('${}', {}).errors[0]).toContain('`${}` is not the name of a variable')
  expect(interpolate('${a-b}', {}).errors[0]).toContain('`${a-b}` is not the name of a variable')
  expect(interpolate('x${A', {}).errors[0]).toContain('`${A` has no closing brace')
  expect(interpolate('os.environ/', {}).errors[0]).toContain('does not name a variable')
  expect(interpolate('os.environ/A B', {}).errors[0]).toContain('does not name a variable')
})

test('the text of a variable is read as the number that is expected', () => {
  const { config } = right(
    'litellm_settings: { max_budget: os.environ/MAX, drop_params: "${DROP}", num_retries: "${N:-4}" }',
    { MAX: '2.5', DROP: 'True' },
  )
  expect(config.budgets.gateway?.maxBudget).toBe(2_500_000_000)
  expect(config.dropParams).toBe(true)
  expect(config.retries).toBe(4)
  expect(told('litellm_settings: { max_budget: os.environ/MAX }', { MAX: 'much' })).toEqual([
    'E t.yaml:1:21 litellm_settings.max_budget: expects a number, not this.',
  ])
})

test('environment_variables hold for the rest of the file, and win', () => {
  const { config } = right(
    'environment_variables: { KEY: "sk-${PART}", PORTS: 8 }\ngeneral_settings: { master_key: os.environ/KEY }\nlitellm_settings: { num_retries: os.environ/PORTS }',
    { KEY: 'sk-another-one', PART: 'from-outside' },
  )
  expect(config.masterKey?.reveal()).toBe('sk-from-outside')
  expect(config.environment.KEY?.reveal()).toBe('sk-from-outside')
  expect(config.retries).toBe(8)
})

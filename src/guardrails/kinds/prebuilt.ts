/** LiteLLM's prebuilt patterns of its content filter, by what finds the same here: with check digits, where it has none. */
import { schemeOf } from '../pii/cards.ts'
import type { Entity } from '../pii/entities.ts'

export interface Prebuilt {
  /** Found by the scan for what is somebody's. */
  pii?: readonly Entity[]
  /** Of cards: whose. */
  scheme?: string
  /** Found by the scan for secrets. */
  secret?: readonly string[]
}

const pii = (...entities: Entity[]): Prebuilt => ({ pii: entities })
const card = (scheme: string): Prebuilt => ({ pii: ['CREDIT_CARD'], scheme })
const secret = (...what: string[]): Prebuilt => ({ secret: what })

export const PREBUILT: Readonly<Record<string, Prebuilt>> = {
  us_ssn: pii('US_SSN'),
  email: pii('EMAIL_ADDRESS'),
  phone: pii('PHONE_NUMBER'),
  us_phone: pii('PHONE_NUMBER'),
  credit_card: pii('CREDIT_CARD'),
  visa: card('visa'),
  mastercard: card('mastercard'),
  amex: card('amex'),
  discover: card('discover'),
  iban: pii('IBAN_CODE'),
  ipv4: pii('IP_ADDRESS'),
  ipv6: pii('IP_ADDRESS'),
  passport_us: pii('PASSPORT'),
  br_cpf: pii('BR_CPF'),
  nl_bsn_contextual: pii('NL_BSN'),
  aws_access_key: secret('AWS_ACCESS_KEY'),
  aws_secret_key: secret('API_KEY'),
  github_token: secret('GITHUB_TOKEN'),
  slack_token: secret('SLACK_TOKEN'),
  generic_api_key: secret('API_KEY'),
}

/** Whether a card that was found is one of this scheme. */
export const isOfScheme = (text: string, scheme: string | undefined): boolean =>
  scheme === undefined || schemeOf(text.replace(/\D/g, '')) === scheme

/** What can be found here, by the names that Presidio and LiteLLM have for it, and what it takes to be believed. */

export const ENTITIES = [
  'EMAIL_ADDRESS',
  'PHONE_NUMBER',
  'CREDIT_CARD',
  'IBAN_CODE',
  'IP_ADDRESS',
  'MAC_ADDRESS',
  'CRYPTO',
  'URL_CREDENTIALS',
  'DATE_OF_BIRTH',
  'PASSPORT',
  'US_SSN',
  'US_ITIN',
  'UK_NINO',
  'UK_NHS',
  'DE_TAX_ID',
  'ES_NIF',
  'ES_NIE',
  'IT_FISCAL_CODE',
  'NL_BSN',
  'PL_PESEL',
  'FR_NIR',
  'FI_PERSONAL_IDENTITY_CODE',
  'SE_PERSONAL_NUMBER',
  'CH_AHV',
  'IN_AADHAAR',
  'IN_PAN',
  'SG_NRIC_FIN',
  'AU_TFN',
  'BR_CPF',
] as const

export type Entity = (typeof ENTITIES)[number]

/** Other names for the same. */
export const SAME: Readonly<Record<string, Entity>> = {
  US_PASSPORT: 'PASSPORT',
  UK_PASSPORT: 'PASSPORT',
  IT_PASSPORT: 'PASSPORT',
  IN_PASSPORT: 'PASSPORT',
}

/** What takes a model of language to find: `presidio` has one. */
export const NEEDS_PRESIDIO = new Set(['PERSON', 'LOCATION', 'NRP', 'DATE_TIME', 'MEDICAL_LICENSE', 'ORGANIZATION'])

/** Tells of one find. @param confidence [0, 1] */
export type Tell = (what: Entity, start: number, end: number, confidence: number) => void

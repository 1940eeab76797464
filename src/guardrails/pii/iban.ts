/** Account numbers of ISO 13616: a country, two check digits, and as many characters as that country has. */
import { mod97 } from './checks.ts'

/** Of all of it, as SWIFT's register of IBANs has them. */
const LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((one) => [one.slice(0, 2), Number(one.slice(2))]),
)

/** How many characters an account of this country has; undefined: it has none. */
export const ibanLength = (country: string): number | undefined =>
  Object.hasOwn(LENGTHS, country) ? LENGTHS[country] : undefined

/** @param text capitals and digits, without spaces */
export const isIban = (text: string): boolean => ibanLength(text.slice(0, 2)) === text.length && mod97(text)

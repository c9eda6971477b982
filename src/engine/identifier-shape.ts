/**
 * The shapes of identifiers that no payload may carry, as SQL over one column. Each test looks at the length first, which
 * the engine knows without reading the text, so a column of short codes costs nothing; and does so in a case, because the
 * engine is free to turn the sides of an `and` round. No test gives NULL.
 */

/** 13 digits, with or without a hyphen, month and day plausible, the check digit not tested. */
const digits = '[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])-?[0-9]{7}'
const registrationNumber = `(^|[^0-9])${digits}([^0-9]|$)`
/** In a code letters count as digits do: of random codes of 16 hexadecimal digits, 8 in 100,000 would have the shape. */
const registrationNumberAmongCodes = `(^|[^0-9A-Za-z])${digits}([^0-9A-Za-z]|$)`
const phone =
  '(^|[^0-9])(01[016789][-. ][0-9]{3,4}|0(2|[3-6][1-5])[-. ][0-9]{3,4})[-. ][0-9]{4}([^0-9]|$)'
const barePhone = '(^|[^0-9])010[0-9]{8}([^0-9]|$)'
/** Driving licence: region, year, number, check; with its hyphens. */
const licence = '(^|[^0-9])[0-9]{2}-[0-9]{2}-[0-9]{6}-[0-9]{2}([^0-9]|$)'
/** Passport of 2021 or before: a letter of its kind and eight places. In codes this is the shape of many. */
const passport = '(^|[^0-9A-Za-z])[MSRODG]([0-9]{8}|[0-9]{3}[A-Z][0-9]{4})([^0-9A-Za-z]|$)'
/** Connecting information (CI): 64 bytes in base64. */
const connecting = '(^|[^0-9A-Za-z+/])[0-9A-Za-z+/]{86}==([^=]|$)'
/** A key as agencies send it, or any other digest of 32 bytes: an identifier behind a known function is still one. */
const digest = '(^|[^0-9A-Fa-f])([0-9a-f]{64}|[0-9A-F]{64})([^0-9A-Fa-f]|$)'
const email = '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\\.[A-Za-z]{2,}'

/** True where a text carries the shape of a resident or foreigner registration number. */
export function registrationNumberInText(column: string, isCode: boolean): string {
  const shape = isCode ? registrationNumberAmongCodes : registrationNumber
  // 13 bytes have room for the number alone: where its month and day are not plausible, a claim number goes by cheaply.
  return `(case when strlen(${column}) < 13 then false
    when strlen(${column}) = 13 and substr(${column}, 3, 4) not between '0101' and '1231' then false
    else coalesce(regexp_matches(${column}, '${shape}'), false) end)`
}

/** True where a serial as a whole is a registration number. Serials are random: inside one, the shape says nothing. */
export const registrationNumberAsSerial = `(case when strlen(serial) in (13, 14)
    then regexp_full_match(serial, '${digits}') else false end)`

/** True where a number is whole, has 13 digits and reads as a registration number. */
export function registrationNumberInNumber(column: string): string {
  return `(case when ${column} between 1000000000000 and 9999999999999
    then regexp_matches(${column}::bigint::varchar, '${registrationNumber}') else false end)`
}

/**
 * True where a text of a release carries any known shape: registration number, phone, e-mail, passport, driving licence, CI,
 * key.
 *
 * @param isCode - eleven bare digits from 010 are a phone number in a text, but one in a thousand claim numbers in a code;
 *   and a letter with eight digits is a passport's number in a text, but many a code.
 */
export function identifierInText(column: string, isCode: boolean): string {
  const shapes = isCode
    ? [phone, licence, registrationNumberAmongCodes]
    : [passport, phone, barePhone, licence, registrationNumber]
  // One pattern of all: the engine goes through a text once, however many shapes it looks for.
  return `(case
    when strlen(${column}) < 6 then false
    when contains(${column}, '@') and regexp_matches(${column}, '${email}') then true
    when strlen(${column}) < ${isCode ? 11 : 9} then false
    when regexp_matches(${column}, '${shapes.join('|')}') then true
    when strlen(${column}) >= 64 then regexp_matches(${column}, '${digest}|${connecting}')
    else false end)`
}

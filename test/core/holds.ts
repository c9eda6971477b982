import fc from 'fast-check'

/** What is handed to `holds`: tap's own test, as far as it is needed. */
type Test = { doesNotThrow: (run: () => void, message: string) => unknown }

/**
 * Asserts a property as one assertion of the test, so that the report counts it and shows its
 * counterexample.
 */
export function holds<Values>(t: Test, property: fc.IRawProperty<Values, false>): void {
  t.doesNotThrow(() => fc.assert(property), 'the property holds')
}

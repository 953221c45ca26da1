/** Set by `npm run build -- --policy FILE`; a bundle without one does not know the name. */
declare const __TGEFD_POLICY__: string | undefined;

/** The policy document that was compiled into this bundle, as JSON text; null where there is none. */
export const compiledPolicy: string | null = typeof __TGEFD_POLICY__ === 'string' ? __TGEFD_POLICY__ : null;

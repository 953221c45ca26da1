/** Set by the build of a bundle; code that runs from its source does not know the name. */
declare const __TGEFD_BUILD__: string | undefined;

/** Which code decides: the version of the product and, where it is known, the commit. Every record says it. */
export const BUILD: string = typeof __TGEFD_BUILD__ === 'string' ? __TGEFD_BUILD__ : 'source';

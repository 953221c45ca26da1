/** The package that ships workerd; CommonJS, and it brings no types. */
declare module 'workerd' {
  const exports: { /** Path of the program itself. */ readonly default: string };
  export = exports;
}

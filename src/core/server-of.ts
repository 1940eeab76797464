/** `http://gpu:8000/v1` and `http://gpu:8000` are one server. */
export const serverOf = (origin: string): string => origin.replace(/\/+$/, '').replace(/(\/api)?\/v\d+$/, '')

-- The peer: the same field filter and the same HMAC as the gateway, and nothing else. No credentials, no decision,
-- no screening, no register, no order of its own; what it lets through it builds, as the gateway does.
-- HMAC-SHA-256 comes from the libcrypto that nginx has loaded already.

local ffi = require "ffi"
local bit = require "bit"
local cjson = require "cjson.safe"

ffi.cdef [[
    const void *EVP_sha256(void);
    unsigned char *HMAC(const void *evp_md, const void *key, int key_len, const unsigned char *d, size_t n,
                        unsigned char *md, unsigned int *md_len);
]]

local C = ffi.C
local KEY = string.rep("k", 32)
local sha256 = C.EVP_sha256()
local digest = ffi.new("unsigned char[32]")
local digest_len = ffi.new("unsigned int[1]")
local uuid = ffi.new("unsigned char[36]")
local hex = ffi.new("unsigned char[16]", "0123456789abcdef")
local band, bor, rshift = bit.band, bit.bor, bit.rshift

cjson.decode_max_depth(64)
local empty_array = cjson.empty_array

-- A UUID of version 8 from the first 122 bits of the HMAC.
local function pseudonym(id)
    C.HMAC(sha256, KEY, #KEY, id, #id, digest, digest_len)
    digest[6] = bor(0x80, band(digest[6], 0x0f))
    digest[8] = bor(0x80, band(digest[8], 0x3f))
    local at = 0
    for i = 0, 15 do
        if i == 4 or i == 6 or i == 8 or i == 10 then
            uuid[at] = 45
            at = at + 1
        end
        uuid[at] = hex[rshift(digest[i], 4)]
        uuid[at + 1] = hex[band(digest[i], 15)]
        at = at + 2
    end
    return ffi.string(uuid, 36)
end

local function own_key(ids)
    for i = 1, #ids do
        if ids[i].userIdType == "ASI" then
            return ids[i].userId
        end
    end
end

local function student(record)
    return {
        userIds = { { userId = pseudonym(own_key(record.userIds)), userIdType = "ASI" } },
        givenName = "-",
        familyName = "-",
        status = "active",
        dateCreated = "2000-01-01T00:00:00Z",
        dateLastModified = "2000-01-01T00:00:00Z",
    }
end

local function students(text)
    local records = cjson.decode(text)
    if not records then
        return nil
    end
    local released = {}
    for i = 1, #records do
        released[i] = student(records[i])
    end
    return cjson.encode(#released > 0 and released or empty_array)
end

local methods = { GET = ngx.HTTP_GET, POST = ngx.HTTP_POST }

return function()
    ngx.req.read_body()
    local answer = ngx.location.capture("/upstream" .. ngx.var.uri, {
        method = methods[ngx.req.get_method()],
        args = ngx.var.args,
        always_forward_body = true,
    })
    local text = answer.status == 200 and students(answer.body)
    if not text then
        return ngx.exit(502)
    end
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Content-Length"] = #text
    ngx.print(text)
end

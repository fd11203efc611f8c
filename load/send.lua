-- wrk: POST messages to ever new recipients. The key comes by environment, never by argument.
local number = tonumber(os.getenv("SMSLAB_FIRST") or "0")

wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("YEASTAR_API_KEY")
wrk.headers["Content-Type"] = "application/json"

function request()
  number = number + 1
  return wrk.format(nil, nil, nil, string.format(
    '{"from":"+630000000001","to":"+63917%07d","text":"Hello from Yeastar %d"}', number % 10000000, number))
end

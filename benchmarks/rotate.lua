-- Send the same request with the bearer tokens of a file in turn: wrk -s rotate.lua URL -- FILE

local requests, turn = {}, 0

function init(arguments)
  for token in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, {["Host"] = wrk.headers["Host"], ["Authorization"] = "Bearer " .. token})
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
